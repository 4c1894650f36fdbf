"""A product on the screens: its lines, and the faults of each line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo_app.models.picture import MARK_COLORS, Box, Pixels, boxes_of, crop_line, scaled
from demo_app.models.words import mark_of
from sdk.results import Reading
from sdk.station import RuleResult, Verdict

__all__ = [
    "CROP_SIZE",
    "MOST_ROWS",
    "LineRow",
    "line_marks",
    "pad_crop",
    "product_boxes",
    "rows_of",
]

CROP_SIZE = (576, 48)
"""Width and height of a line crop on screen in pixels. A fixed size keeps its texture."""

MOST_ROWS = 12
# Marks in the order in which an operator must see them.
_URGENCY = ("ng", "unreadable", "ok", "")


@dataclass(frozen=True, slots=True, eq=False)
class LineRow:
    """A line of a product, or a missing line.

    Attributes:
        mark: The worst result of the rules on the line: "ng", "unreadable" or "ok". "" if no rule
            concerns the line.
        results: Results of the rules on the line, or of the rule whose line is missing.
        text: Text of the line. "" for a missing line.
        crop: Line crop, uint8 RGB (48, 576, 3), with the line at the left. None for a missing line.
        used: Share of the crop's width that the line takes.
    """

    mark: str
    results: tuple[RuleResult, ...]
    text: str = ""
    crop: Pixels | None = None
    used: float = 0.0

    @property
    def broken(self) -> tuple[RuleResult, ...]:
        """Results of the rules that the line does not meet."""
        return tuple(result for result in self.results if result.ok is not True)


def line_marks(verdict: Verdict | None) -> dict[int, str]:
    """Return the worst result of the rules on each line: "ng", "unreadable" or "ok"."""
    results = () if verdict is None else verdict.results
    marks: dict[int, str] = {}
    for mark, line in ((mark_of(r.ok), r.line) for r in results if r.line is not None):
        marks[line] = min(mark, marks.get(line, mark), key=_URGENCY.index)
    return marks


def product_boxes(reading: Reading, verdict: Verdict | None) -> tuple[Box, ...]:
    """Return the boxes over a product's picture: its named fields, then its lines."""
    fields = [] if verdict is None else [*_field_boxes(verdict)]
    return (*fields, *boxes_of(reading, line_marks(verdict)))


def _field_boxes(verdict: Verdict) -> Iterator[Box]:
    for name, (x, y, width, height) in verdict.regions.items():
        if name:
            marks = [mark_of(result.ok) for result in verdict.results if result.field == name]
            mark = min(marks, key=_URGENCY.index, default="")
            right, bottom = x + width, y + height
            quad = ((x, y), (right, y), (right, bottom), (x, bottom))
            yield Box(quad, name, MARK_COLORS[mark], mark in ("ng", "unreadable"))


def rows_of(picture: Pixels, reading: Reading, verdict: Verdict | None) -> tuple[LineRow, ...]:
    """Return the lines of a product: missing, wrong and doubtful lines first, then the others.

    Args:
        picture: uint8 RGB (H, W, 3).
        reading: Reading of the picture.
        verdict: Verdict on this reading, or None.

    Returns:
        At most `MOST_ROWS` rows.
    """
    results = () if verdict is None else verdict.results
    missing = [r for r in results if r.line is None and r.ok is not True]
    missing.sort(key=lambda result: result.rule == "lines")  # the number of lines is least useful
    marks = line_marks(verdict)
    # of many lines, a wrong line must not be left out
    indices = sorted(range(len(reading)), key=lambda i: marks.get(i) not in ("ng", "unreadable"))
    rows = [LineRow(mark_of(result.ok), (result,)) for result in missing]
    for i in indices[: max(0, MOST_ROWS - len(rows))]:
        about = tuple(result for result in results if result.line == i)
        crop, used = pad_crop(crop_line(picture, reading[i]))
        rows.append(LineRow(marks.get(i, ""), about, reading[i].text, crop, used))
    return tuple(rows)


def pad_crop(crop: Pixels) -> tuple[Pixels, float]:
    """Return a line crop padded to `CROP_SIZE`, and the share of the width that the line takes.

    A longer line is reduced and centered vertically.
    """
    width, height = CROP_SIZE
    crop = scaled(crop, width, height)
    out = np.empty((height, width, 3), np.uint8)
    out[:] = crop[:1, :1]
    top = (height - crop.shape[0]) // 2
    out[top : top + crop.shape[0], : crop.shape[1]] = crop
    return out, crop.shape[1] / width
