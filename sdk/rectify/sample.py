"""Bilinear sampling by a rule that is the same in every version of OpenCV.

OpenCV's own warps differ: version 5 works in floats, version 4 in fractions of 1/32 pixel. A
difference of one gray level can change what a network reads. Here positions are computed in double
precision and rounded to 1/32 pixel, halves to even. The weights of the four pixels around a
position are integers. The mean is rounded to the nearest value, halves up. Outside a picture its
edge pixels are repeated.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.geometry import quad_points
from sdk.image.load import ImageArray

__all__ = ["sample", "straighten"]

# Fraction bits of OpenCV's fixed-point maps.
_BITS = 5
_STEPS = 1 << _BITS
# Positions per call: larger arrays of doubles cost more to allocate than to fill.
_AT_A_TIME = 8192


def sample(image: ImageArray, x: NDArray[np.float64], y: NDArray[np.float64]) -> ImageArray:
    """Return the colors of a picture at positions.

    Args:
        image: uint8 (H, W, 3), sides below 32,767 pixels, see `sdk.rectify.crop.reduce`.
        x: float64 (h, w), distances from the left edge in pixels. Pixel centers are at
            integer + 0.5.
        y: float64 (h, w), distances from the top edge in pixels.

    Returns:
        uint8 (h, w, 3).
    """
    height, width = image.shape[:2]
    columns, rows = _steps(x, width), _steps(y, height)
    whole = np.empty((*columns.shape, 2), np.int16)
    # in place and with shifts: making a line crop must be much cheaper than reading it
    for axis, steps in enumerate((columns, rows)):
        np.right_shift(steps, _BITS, out=whole[..., axis], casting="unsafe")
        steps &= _STEPS - 1
    rows <<= _BITS
    rows |= columns
    parts = rows.astype(np.uint16)
    colors = cv2.remap(image, whole, parts, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(colors, np.uint8)


def straighten(image: ImageArray, quad: ArrayLike, width: int, height: int) -> ImageArray:
    """Return the content of a quad as an upright picture.

    Args:
        image: uint8 (H, W, 3), sides below 32,767 pixels.
        quad: (4, 2) pixels, convex, from the corner that becomes the top left corner.
        width: Width of the result in pixels.
        height: Height of the result in pixels.

    Returns:
        uint8 (height, width, 3).
    """
    u, v = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    some = max(1, _AT_A_TIME // width)
    rows = [v[i : i + some, None] for i in range(0, height, some)]
    return np.concatenate([sample(image, *quad_points(quad, u, part)) for part in rows])


def _steps(positions: NDArray[np.float64], size: int) -> NDArray[np.int32]:
    """Return positions in steps from the first pixel's center, clipped near the picture."""
    steps = positions * _STEPS
    steps -= 0.5 * _STEPS
    np.rint(steps, out=steps)
    return steps.clip(-_STEPS, size * _STEPS, out=steps).astype(np.int32)
