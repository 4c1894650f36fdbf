"""The live screen: what the station reports, gathered until the screen looks.

The station calls from its own thread, as fast as it reads; the screen asks as often as it draws.
Between them lies one view that is replaced: what the screen does not see in time it never sees.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from demo_app.models.picture import Box, Pixels, boxes_of, cut_out, scaled
from demo_app.models.words import mark_of, rule_name
from sdk.results import Reading

if TYPE_CHECKING:
    from sdk.camera import Frame
    from sdk.station import Inspection, Verdict

STRIP_SIZE = (576, 48)
"""Width and height of a cut-out line on screen: always the same, so that its texture stays."""

MOST_LINES = 6
# Weight of a new value in the running means of time and rate.
_NEW = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class LineRow:
    """A line read just now.

    Attributes:
        strip: Cut out and turned level, uint8 RGB (48, 576, 3), at the left.
        used: Share of the strip's width that the line takes.
        text: What was read.
        mark: "ok", "ng" or "unreadable" where a rule of the last verdict was about this text,
            else "".
    """

    strip: Pixels
    used: float
    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule of the job, and how the last product did."""

    mark: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class LiveView:
    """What the live screen shows: one product, and nothing of another.

    Attributes:
        picture: uint8 RGB (H, W, 3), reduced for the screen; None before the first.
        boxes: The lines in it.
        lines: The lines with their cut-outs, those that break a rule first.
        verdict: On the product in the picture, None while there is none.
        rules: How the product did, broken rules first.
        record: Of the verdict in the history, None if it is not kept.
        ms: Time to read a picture, a running mean.
        rate: Pictures read in a second, a running mean.
        state: What the camera does: "open", "lost", "ended", or "" before it is asked.
        message: What there is to say about it.
        problem: Why verdicts are not recorded, or a picture could not be read; or nothing.
    """

    picture: Pixels | None = None
    boxes: tuple[Box, ...] = ()
    lines: tuple[LineRow, ...] = ()
    verdict: Verdict | None = None
    rules: tuple[RuleRow, ...] = ()
    record: int | None = None
    ms: float = 0.0
    rate: float = 0.0
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

    def __init__(self) -> None:
        """Begin without a picture."""
        self.view_size = (1280, 960)
        self.hold_s = 3.0
        self._lock = threading.Lock()
        self._view = LiveView()
        self._latest: tuple[Frame, Reading] | None = None
        # when the last picture came, and the last with a verdict
        self._last = self._last_judged = 0.0
        self._history_problem = ""

    @property
    def view(self) -> LiveView:
        """The state as of now."""
        return self._view

    @property
    def latest(self) -> tuple[Frame, Reading] | None:
        """The last picture in full and its reading: what a job is taught from."""
        return self._latest

    def reset(self) -> None:
        """Forget everything, for another camera or job."""
        with self._lock:
            self._view, self._latest = LiveView(), None
            self._history_problem = ""

    def on_frame(self, seen: Inspection) -> None:
        """Take a picture that was read, with the verdict on what it shows."""
        picture = scaled(seen.frame.image, *self.view_size)
        lines = _lines(seen)
        now = time.monotonic()
        with self._lock:
            old, since = self._view, now - self._last
            self._last, self._latest = now, (seen.frame, seen.reading)
            if seen.verdict is not None:
                self._last_judged = now
            elif old.verdict is not None and now - self._last_judged < self.hold_s:
                return  # the operator still looks at the product that has just left
            rate = 1 / max(since, 1e-3)
            fresh = not old.ms or since > 3.0
            self._view = replace(
                old,
                picture=picture,
                boxes=boxes_of(seen.reading),
                lines=lines,
                verdict=seen.verdict,
                rules=_rules(seen.verdict),
                record=seen.record,
                ms=seen.ms if not old.ms else old.ms + _NEW * (seen.ms - old.ms),
                rate=0.0 if fresh else old.rate + _NEW * (rate - old.rate),
                problem=self._history_problem,
            )

    def on_state(self, state: str, message: str) -> None:
        """Take news of the camera, of the history, or of pictures that cannot be read."""
        with self._lock:
            if state in ("open", "lost", "ended"):
                self._view = replace(self._view, state=state, message=message)
            elif state == "error":
                # the product that is there now has no verdict, and must not be given another's
                view = LiveView(state=self._view.state, message=self._view.message)
                self._view = replace(view, problem=message)
            else:
                self._view = replace(self._view, problem=message)
            if state == "history":
                self._history_problem = message


def pad_strip(strip: Pixels) -> tuple[Pixels, float]:
    """Return a cut-out line at the left of a `STRIP_SIZE`, and the share of the width it takes.

    A longer line is reduced, and stands in the middle of the height.
    """
    width, height = STRIP_SIZE
    strip = scaled(strip, width, height)
    out = np.empty((height, width, 3), np.uint8)
    out[:] = strip[:1, :1]
    top = (height - strip.shape[0]) // 2
    out[top : top + strip.shape[0], : strip.shape[1]] = strip
    return out, strip.shape[1] / width


def _lines(seen: Inspection) -> tuple[LineRow, ...]:
    """Return the lines of a product, those that break a rule first."""
    results = () if seen.verdict is None else seen.verdict.results
    marks = {result.line: mark_of(result.ok) for result in results}
    rows = [
        LineRow(*pad_strip(cut_out(seen.frame.image, line)), line.text, marks.get(i, ""))
        for i, line in enumerate(seen.reading[:MOST_LINES])
    ]
    return tuple(sorted(rows, key=lambda row: row.mark not in ("ng", "unreadable")))


def _rules(verdict: Verdict | None) -> tuple[RuleRow, ...]:
    """Return how a product did by each rule, broken ones first."""
    results = () if verdict is None else verdict.results
    rows = [RuleRow(mark_of(r.ok), rule_name(r.rule), r.reason) for r in results]
    return tuple(sorted(rows, key=lambda row: row.mark == "ok"))
