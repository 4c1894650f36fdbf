"""Readings made by hand: what rules and histories are tested with."""

from __future__ import annotations

from sdk.geometry import box_quads
from sdk.results import Char, Quad, Reading, TextLine


def make_line(text: str, confidence: float = 0.9, row: int = 0, width: int = 640) -> TextLine:
    """Returns a line across a row of 40 pixels."""
    x, y = width / 2, 40 * row + 20
    quad = [(float(a), float(b)) for a, b in box_quads((x, y), width / 2, 30, 0)]
    corners: Quad = (quad[0], quad[1], quad[2], quad[3])
    return TextLine(text, confidence, corners, tuple(Char(c, confidence) for c in text))


def make_reading(*lines: str | tuple[str, float]) -> Reading:
    """Returns a reading of lines, each a text or a text and its confidence."""
    pairs = [(line, 0.9) if isinstance(line, str) else line for line in lines]
    made = tuple(make_line(text, sure, row) for row, (text, sure) in enumerate(pairs))
    return Reading(made, 640, 480, model="hand", device="cpu")
