"""Tones of line crops: a network errs differently on a line's colors, in gray and blurred."""

from __future__ import annotations

import cv2
import numpy as np

from sdk.image.load import ImageArray
from sdk.model.views import COLOR, GREEN

__all__ = ["toned"]

_BLUR_PX = 1.0
"""Standard deviation of the blur in a crop 32 px high."""


def toned(pixels: ImageArray, tone: str) -> ImageArray:
    """Return a line crop in a tone.

    Args:
        pixels: uint8 RGB (32, w, 3).
        tone: One of `sdk.model.views.TONES`.
    """
    if tone == COLOR:
        return pixels
    if tone == GREEN:
        single = pixels[..., 1]
    else:
        single = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), _BLUR_PX)
    return np.repeat(single[..., None], 3, -1)
