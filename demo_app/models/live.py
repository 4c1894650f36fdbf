"""The live screen: what the station reports, gathered until the screen looks.

The station calls from its own thread, as fast as it reads; the screen asks as often as it draws.
Between them lies one view that is replaced: what the screen does not see in time it never sees.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from demo_app.models.picture import Box, Pixels, boxes_of, scaled
from demo_app.models.product import LineRow, line_marks, rows_of
from demo_app.models.shift import Shift
from sdk.results import Reading

if TYPE_CHECKING:
    from sdk.live.camera import Frame
    from sdk.station import Inspection, Verdict

# Products of so many seconds tell how many there are in a minute.
_PACE_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """What the live screen shows: one product, and nothing of another.

    Attributes:
        picture: uint8 RGB (H, W, 3), reduced for the screen; None before the first.
        boxes: The lines in it.
        rows: The lines with their cut-outs, and what is missing; what is wrong comes first.
        verdict: On the product in the picture, None while there is none.
        record: Of the verdict in the history, None if it is not kept.
        shift: The products counted, this one included.
        state: What the camera does: "open", "lost", "ended", or "" before it is asked.
        message: What there is to say about it.
        problem: Why verdicts are not recorded, or a picture could not be read; or nothing.
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
        """The verdict's status, "waiting" without one."""
        return "waiting" if self.verdict is None else self.verdict.status


class LiveModel:
    """Takes the station's reports; `view` is the latest state, never changed once given out.

    Attributes:
        view_size: Width and height in pixels that a picture needs at most.
        hold_s: Seconds that a product and its verdict stay when the camera sees something else.
    """

    def __init__(self, shift: Shift) -> None:
        """Begin without a picture, with the products counted so far."""
        self.view_size = (1280, 960)
        self.hold_s = 3.0
        self._lock = threading.Lock()
        self._view = LiveView(shift=shift)
        self._latest: tuple[Frame, Reading] | None = None
        self._last_judged = 0.0  # when the last picture with a verdict came
        self._times: deque[float] = deque()  # of the products of the last minute
        self._history_problem = ""

    @property
    def view(self) -> LiveView:
        """The state as of now."""
        return self._view

    @property
    def latest(self) -> tuple[Frame, Reading] | None:
        """The last picture in full and its reading: what a job is taught from."""
        return self._latest

    def pace(self) -> float:
        """Return how many products there were in the last minute, in a minute."""
        now = time.monotonic()
        with self._lock:
            while self._times and now - self._times[0] > _PACE_S:
                self._times.popleft()
            # between the first and the last product lie as many spaces less one
            count = len(self._times) - 1
            return 60 * count / (now - self._times[0]) if count > 0 else 0.0

    def begin_shift(self, shift: Shift) -> None:
        """Count the products of another shift from now on."""
        with self._lock:
            self._view = replace(self._view, shift=shift)

    def reset(self) -> None:
        """Forget everything but the shift, for another camera or job."""
        with self._lock:
            self._view, self._latest = LiveView(shift=self._view.shift), None
            self._history_problem = ""

    def on_frame(self, seen: Inspection) -> None:
        """Take a picture that was read, with the verdict on what it shows."""
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
                return  # the operator still looks at the product that has just left
            if verdict is not None and seen.is_new:
                self._times.append(now)
                shift = shift.counted(verdict.status)
            self._view = replace(
                self._view,
                picture=picture,
                boxes=boxes_of(seen.reading, line_marks(verdict)),
                rows=rows,
                verdict=verdict,
                record=seen.record,
                shift=shift,
                problem=self._history_problem,
            )

    def on_state(self, state: str, message: str) -> None:
        """Take news of the camera, of the history, or of pictures that cannot be read."""
        with self._lock:
            if state in ("open", "lost", "ended"):
                self._view = replace(self._view, state=state, message=message)
            elif state == "error":
                # the product that is there now has no verdict, and must not be given another's
                old = self._view
                self._view = LiveView(
                    shift=old.shift, state=old.state, message=old.message, problem=message
                )
            else:
                self._view = replace(self._view, problem=message)
            if state == "history":
                self._history_problem = message
