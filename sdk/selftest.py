"""A drawn picture with known text, for the self-test and the benchmark.

`compare` checks a reading of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sdk.image.load import ImageArray

__all__ = ["SAMPLE_TEXTS", "compare", "draw_sample", "same"]

SAMPLE_TEXTS = ("BATCH 2604", "EXP 2027-08-31", "Net 500 g", "SN 73915")
_SIZE = (640, 480)
_INK, _PAPER = (25, 25, 30), (232, 230, 224)


def draw_sample() -> ImageArray:
    """Return uint8 RGB (480, 640, 3) with `SAMPLE_TEXTS` from top to bottom, in Pillow's font."""
    canvas = Image.new("RGB", _SIZE, _PAPER)
    painter = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=44)
    step = _SIZE[1] // len(SAMPLE_TEXTS)
    for row, text in enumerate(SAMPLE_TEXTS):
        painter.text((60 + 25 * row, (row + 0.5) * step), text, _INK, font, anchor="lm")
    return np.asarray(canvas)


def same(expected: str | None, found: str | None) -> bool:
    """Tell whether a line was read. Spaces do not count, because they do not test the setup."""
    if expected is None or found is None:
        return False
    return expected.replace(" ", "") == found.replace(" ", "")


def compare(expected: Sequence[str], found: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Pair expected lines with the lines read, both from top to bottom.

    Equal lines are paired first. Lines between them are paired in order. A line without a partner
    is paired with None.
    """
    pairs: list[tuple[str | None, str | None]] = []
    rest = list(found)
    for at, text in enumerate(expected):
        before = next((i for i, line in enumerate(rest) if same(text, line)), None)
        if before is not None:
            pairs += [(None, extra) for extra in rest[:before]]
            pairs.append((text, rest[before]))
            del rest[: before + 1]
        elif rest and not any(same(later, rest[0]) for later in expected[at + 1 :]):
            pairs.append((text, rest.pop(0)))
        else:
            pairs.append((text, None))
    return pairs + [(None, extra) for extra in rest]
