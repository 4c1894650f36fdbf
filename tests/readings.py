"""Generated readings: lines of text in a fixed pitch, without a reader."""

from __future__ import annotations

from sdk.results import Char, Quad, Reading, TextLine

PITCH, HEIGHT = 12.0, 20.0


def box(x: float, y: float, width: float) -> Quad:
    return (x, y), (x + width, y), (x + width, y + HEIGHT), (x, y + HEIGHT)


def line(text: str, x: float = 10, y: float = 10, confidence: float = 0.95) -> TextLine:
    """A line that starts at (x, y); each character is as sure as the line."""
    chars = tuple(
        Char(char, confidence, box(x + PITCH * i, y, PITCH)) for i, char in enumerate(text)
    )
    quad = box(x, y, PITCH * max(len(text), 1))
    # three decimals, as a history of verdicts keeps them
    return TextLine(text, confidence, quad, chars, probability=round(confidence ** len(text), 3))


def reading(*lines: TextLine) -> Reading:
    return Reading(lines, 640, 480)
