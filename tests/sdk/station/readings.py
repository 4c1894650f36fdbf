"""Readings as jobs and histories are tested with: lines one below the other."""

from __future__ import annotations

from sdk.results import Reading, TextLine
from tests.readings import line, reading


def make_line(text: str, confidence: float = 0.9, row: int = 0) -> TextLine:
    """Returns a line in the middle of a row of 40 pixels."""
    return line(text, x=200, y=10 + 40 * row, confidence=confidence)


def make_reading(*lines: str | tuple[str, float]) -> Reading:
    """Returns a reading of lines, each a text or a text and its confidence."""
    pairs = [(text, 0.9) if isinstance(text, str) else text for text in lines]
    return reading(*(make_line(text, sure, row) for row, (text, sure) in enumerate(pairs)))
