"""Arches: lines of text round a cap, a badge or the top of a sign, and their unbending."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sdk.image.load import ImageArray
from sdk.image.strip import STRIP_HEIGHT

__all__ = ["Arch", "unbend"]

_POINTS = 64  # of the middle line
# The letters' corners reach a little out of the band that the arch leaves them.
_LOOSE = 1.15


@dataclass(frozen=True, slots=True)
class Arch:
    """How a line bends through its picture, in shares of the picture's height.

    Attributes:
        bow: How far the line's middle stands above its ends; negative below them.
        rise: How far the line climbs from its start to its end.
    """

    bow: float
    rise: float = 0.0


def unbend(image: ImageArray, arch: Arch, max_width: int) -> ImageArray:
    """Return the strip along an arch that fills a picture from its left to its right.

    The middle line is a parabola; letters stand at right angles to it.

    Args:
        image: uint8 (H, W, 3).
        arch: How the line bends.
        max_width: Longer lines are squeezed into this many pixels.

    Returns:
        uint8 (32, w, 3); outside the picture its edge is repeated.
    """
    height, width = image.shape[:2]
    u = np.linspace(0, 1, _POINTS)
    x = u * width
    y = (arch.bow * (2 * u - 1) ** 2 - arch.rise * u) * height
    band = max(1.0, (height - np.ptp(y)) * _LOOSE)
    y += (height - y.max() - y.min()) / 2
    length = np.concatenate([[0.0], np.hypot(np.diff(x), np.diff(y)).cumsum()])
    wanted = int(np.clip(round(STRIP_HEIGHT * length[-1] / band), 1, max_width))
    at = (np.arange(wanted) + 0.5) / wanted * length[-1]
    along = [np.interp(at, length, v) for v in (x, y)]
    slope = [np.interp(at, length, np.gradient(v, length)) for v in (x, y)]
    across = (((np.arange(STRIP_HEIGHT) + 0.5) / STRIP_HEIGHT - 0.5) * band)[:, None]
    shrink = min(1.0, STRIP_HEIGHT / band)
    inner = (width, height)
    if shrink < 1:  # sampling takes single points: by areas first, against aliasing
        inner = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        image = np.asarray(cv2.resize(image, inner, interpolation=cv2.INTER_AREA), np.uint8)
    # cv2 counts pixel centers from 0, ours are at + 0.5
    columns = (along[0] - slope[1] * across) * (inner[0] / width) - 0.5
    rows = (along[1] + slope[0] * across) * (inner[1] / height) - 0.5
    strip = cv2.remap(
        image,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(strip, np.uint8)
