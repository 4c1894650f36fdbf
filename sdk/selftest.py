"""A picture with known text, drawn when needed: for the self-test and the benchmark."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sdk.image.load import ImageArray

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
