"""The live screen: the reports of the station, collected in one view for the screen.

The station reports from its own thread, as fast as it reads. The screen takes the view as often as
it draws. A new view replaces the old one, so the screen may skip views.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from demo_app.models.picture import Box, Pixels, scaled
from demo_app.models.product import LineRow, product_boxes, rows_of
from demo_app.models.shift import Shift
from sdk.results import Reading

if TYPE_CHECKING:
    from sdk.live.camera import Frame
    from sdk.station import Inspection, Verdict

# Window in seconds for the number of products per minute.
_PACE_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """The content of the live screen, all of the same product.

    Attributes:
        picture: uint8 RGB (H, W, 3), reduced for the screen. None before the first picture.
        boxes: Boxes of the named fields and of the lines in the picture.
        rows: Lines with their crops, and missing lines. Faults come first.
        verdict: Verdict on the product in the picture, None before the verdict.
        record: Id of the verdict in the history, None if it is not recorded.
        shift: Counts of products, including this product.
        state: State of the camera: "open", "lost", "ended", or "" before the start.
        message: Message on the state.
        problem: Why verdicts are not recorded or a picture could not be read, or "".
    """

    picture: Pixels | None = None
    boxes: tuple[Box, ...] = ()
    rows: tuple[LineRow, ...] = ()
    verdict: Verdict | None = None
    record: int | None = None
    shift: Shift = field(default_factory=Shift)
    state: str = ""
    message: str = ""
    problem: str = ""

    @property
    def status(self) -> str:
        """Status of the verdict, "waiting" without a verdict."""
        return "waiting" if self.verdict is None else self.verdict.status


class LiveModel:
    """Receives the station's reports. `view` is the latest state and is never changed itself.

    Attributes:
        view_size: Largest width and height of a picture in pixels.
        hold_s: Time in seconds that a product and its verdict stay after the product has left.
    """

    def __init__(self, shift: Shift) -> None:
        """Start without a picture.

        Args:
            shift: Counts of products so far.
        """
        self.view_size = (1280, 960)
        self.hold_s = 3.0
        self._lock = threading.Lock()
        self._view = LiveView(shift=shift)
        self._latest: tuple[Frame, Reading] | None = None
        self._last_judged = 0.0  # time of the last picture with a verdict
        self._times: deque[float] = deque()  # times of the products of the last minute
        self._history_problem = ""

    @property
    def view(self) -> LiveView:
        """The latest state."""
        return self._view

    @property
    def latest(self) -> tuple[Frame, Reading] | None:
        """The last picture in full size and its reading, from which a job can be taught."""
        return self._latest

    def pace(self) -> float:
        """Return the number of products per minute, from the products of the last minute."""
        now = time.monotonic()
        with self._lock:
            while self._times and now - self._times[0] > _PACE_S:
                self._times.popleft()
            # n products have n - 1 intervals
            count = len(self._times) - 1
            return 60 * count / (now - self._times[0]) if count > 0 else 0.0

    def begin_shift(self, shift: Shift) -> None:
        """Start to count the products of another shift."""
        with self._lock:
            self._view = replace(self._view, shift=shift)

    def reset(self) -> None:
        """Drop all state except the shift, for another camera or job."""
        with self._lock:
            self._view, self._latest = LiveView(shift=self._view.shift), None
            self._history_problem = ""

    def on_frame(self, seen: Inspection) -> None:
        """Receive a picture that was read, with the verdict on its product."""
        verdict = seen.verdict
        picture = scaled(seen.frame.image, *self.view_size)
        rows = rows_of(seen.frame.image, seen.reading, verdict)
        now = time.monotonic()
        with self._lock:
            shift = self._view.shift
            self._latest = (seen.frame, seen.reading)
            if verdict is not None:
                self._last_judged = now
            elif self._view.verdict is not None and now - self._last_judged < self.hold_s:
                return  # the product that has just left stays on the screen
            if verdict is not None and seen.is_new:
                self._times.append(now)
                shift = shift.counted(verdict.status)
            self._view = replace(
                self._view,
                picture=picture,
                boxes=product_boxes(seen.reading, verdict),
                rows=rows,
                verdict=verdict,
                record=seen.record,
                shift=shift,
                problem=self._history_problem,
            )

    def on_state(self, state: str, message: str) -> None:
        """Receive a state of the camera, of the history, or of a picture that cannot be read."""
        with self._lock:
            if state in ("open", "lost", "ended"):
                self._view = replace(self._view, state=state, message=message)
            elif state == "error":
                # the present product has no verdict, and must not be shown with another's verdict
                old = self._view
                self._view = LiveView(
                    shift=old.shift, state=old.state, message=old.message, problem=message
                )
            else:
                self._view = replace(self._view, problem=message)
            if state == "history":
                self._history_problem = message
