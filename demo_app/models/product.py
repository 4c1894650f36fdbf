"""A product as the screens show it: its lines, and what is wrong with each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo_app.models.picture import Pixels, cut_out, scaled
from demo_app.models.words import mark_of
from sdk.results import Reading
from sdk.station import RuleResult, Verdict

__all__ = ["MOST_ROWS", "STRIP_SIZE", "LineRow", "line_marks", "pad_strip", "rows_of"]

STRIP_SIZE = (576, 48)
"""Width and height of a cut-out line on screen: always the same, so that its texture stays."""

MOST_ROWS = 12
# What an operator must see first.
_URGENCY = ("ng", "unreadable", "ok", "")


@dataclass(frozen=True, slots=True, eq=False)
class LineRow:
    """A line of a product, or one that is missing.

    Attributes:
        mark: "ng", "unreadable" or "ok", the worst that a rule says of the line; "" where no rule
            is about it.
        results: The rules that are about the line, or the one that misses it.
        text: What was read; "" for a missing line.
        strip: Cut out and turned level, uint8 RGB (48, 576, 3), at the left; None for a missing
            line.
        used: Share of the strip's width that the line takes.
    """

    mark: str
    results: tuple[RuleResult, ...]
    text: str = ""
    strip: Pixels | None = None
    used: float = 0.0

    @property
    def broken(self) -> tuple[RuleResult, ...]:
        """The rules that the line does not meet."""
        return tuple(result for result in self.results if result.ok is not True)


def line_marks(verdict: Verdict | None) -> dict[int, str]:
    """Return the worst that a rule says of each line: "ng", "unreadable" or "ok"."""
    results = () if verdict is None else verdict.results
    marks: dict[int, str] = {}
    for mark, line in ((mark_of(r.ok), r.line) for r in results if r.line is not None):
        marks[line] = min(mark, marks.get(line, mark), key=_URGENCY.index)
    return marks


def rows_of(picture: Pixels, reading: Reading, verdict: Verdict | None) -> tuple[LineRow, ...]:
    """Return the lines of a product: what is missing, broken or doubtful first, the others as read.

    Args:
        picture: uint8 RGB (H, W, 3).
        reading: What was read in it.
        verdict: On this reading, or None.

    Returns:
        At most `MOST_ROWS` rows.
    """
    results = () if verdict is None else verdict.results
    missing = [r for r in results if r.line is None and r.ok is not True]
    missing.sort(key=lambda result: result.rule == "lines")  # the number says the least
    marks = line_marks(verdict)
    # a broken line in a crowd must not be the one that is left out
    indices = sorted(range(len(reading)), key=lambda i: marks.get(i) not in ("ng", "unreadable"))
    rows = [LineRow(mark_of(result.ok), (result,)) for result in missing]
    for i in indices[: max(0, MOST_ROWS - len(rows))]:
        about = tuple(result for result in results if result.line == i)
        strip, used = pad_strip(cut_out(picture, reading[i]))
        rows.append(LineRow(marks.get(i, ""), about, reading[i].text, strip, used))
    return tuple(rows)


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
