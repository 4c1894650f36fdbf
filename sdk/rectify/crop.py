"""Line crops: pictures of single lines, 32 pixels high, as the line graph reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.geometry import side_lengths
from sdk.image.load import ImageArray
from sdk.rectify.sample import straighten

__all__ = [
    "CROP_HEIGHT",
    "crop_width",
    "expand_quad",
    "pad_crops",
    "rectify",
    "reduce",
    "scale_crop",
]

CROP_HEIGHT = 32
"""Height of a line crop in pixels."""

# OpenCV samples only from pictures whose sides are shorter than this, in pixels.
_SIDE_LIMIT = 2**15 - 1


def expand_quad(quad: ArrayLike, margin: float, side: float = 0.0) -> NDArray[np.float32]:
    """Return a quad grown on all sides by a share of its height.

    Args:
        quad: (4, 2) pixels.
        margin: Margin on all sides as a share of the height, 0 and up.
        side: Additional margin at the start and end, as a share of the height.

    Returns:
        float32 (4, 2).
    """
    q = np.asarray(quad, np.float64)
    width, height = (max(float(side), 1e-6) for side in side_lengths(q))
    across = (q[[1, 0, 3, 2]] - q) * ((margin + side) * height / width)
    down = (q[[3, 2, 1, 0]] - q) * margin
    return (q - across - down).astype(np.float32)


def crop_width(quad: ArrayLike, stretch: float = 1.0) -> int:
    """Return the natural width of a line's crop in pixels, at least 1.

    Args:
        quad: (4, 2) pixels.
        stretch: Horizontal scale of the line crop.
    """
    across, height = (float(side) for side in side_lengths(quad))
    return max(round(CROP_HEIGHT * stretch * across / max(height, 1e-6)), 1)


def rectify(image: ImageArray, quad: ArrayLike, max_width: int, stretch: float = 1.0) -> ImageArray:
    """Cut a line out of a picture and straighten it.

    Args:
        image: uint8 (H, W, 3).
        quad: (4, 2) pixels, from the corner at the top left of the text. Outside the picture the
            edge pixels are repeated.
        max_width: Longer lines are squeezed into this many pixels.
        stretch: Horizontal scale of the line crop.

    Returns:
        uint8 (32, w, 3), w the smaller of `crop_width` and `max_width`.
    """
    q = np.asarray(quad, np.float64)
    across, height = (float(side) for side in side_lengths(q))
    width = min(crop_width(q, stretch), max_width)
    # shrinking only the part of the picture around the line costs less
    reach = 2 + math.ceil(height / CROP_HEIGHT)
    x, y = q.T.tolist()
    left, right = _around(x, reach, image.shape[1])
    top, bottom = _around(y, reach, image.shape[0])
    part = image[top:bottom, left:right]
    q = q - (left, top)
    shrink = min(height / CROP_HEIGHT, across / width)
    inner = reduce(part, 1 / shrink if shrink > 1.5 else 1.0)
    q = q * np.array([inner.shape[1] / part.shape[1], inner.shape[0] / part.shape[0]])
    return straighten(inner, q, width, CROP_HEIGHT)


def reduce(image: ImageArray, scale: float) -> ImageArray:
    """Return a picture shrunk by area averaging, which prevents aliasing when it is sampled.

    Args:
        image: uint8 (H, W, 3).
        scale: Scale of both sides, 1 at most.

    Returns:
        uint8 (h, w, 3). A side that is too long for OpenCV's sampling shrinks further.
    """
    height, width = image.shape[:2]
    size = tuple(min(max(1, round(x * scale)), _SIDE_LIMIT - 1) for x in (width, height))
    if size == (width, height):
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _around(values: list[float], reach: int, size: int) -> tuple[int, int]:
    """Return the pixel range around positions along one side, at least one pixel of the picture."""
    low = min(max(math.floor(min(values)) - reach, 0), size - 1)
    return low, min(max(math.ceil(max(values)) + reach, low + 1), size)


def scale_crop(image: ImageArray, max_width: int) -> ImageArray:
    """Return the picture of a line scaled to the height of a line crop.

    Args:
        image: uint8 (H, W, 3).
        max_width: Longer lines are squeezed into this many pixels.

    Returns:
        uint8 (32, w, 3), w = clip(round(32 * W / H), 1, max_width).
    """
    height, width = image.shape[:2]
    wanted = int(np.clip(round(CROP_HEIGHT * width / height), 1, max_width))
    shrinks = CROP_HEIGHT * wanted < height * width
    resized = cv2.resize(
        image,
        (wanted, CROP_HEIGHT),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    return np.asarray(resized, np.uint8)


def pad_crops(crops: Sequence[ImageArray], width: int) -> ImageArray:
    """Return line crops in a batch, padded on the right by their last column.

    Args:
        crops: uint8 (32, w, 3) each, w from 1 to `width`.
        width: Width of the batch in pixels.

    Returns:
        uint8 (n, 32, width, 3).
    """
    batch = np.empty((len(crops), CROP_HEIGHT, width, 3), np.uint8)
    for row, crop in zip(batch, crops, strict=True):
        row[:, : crop.shape[1]] = crop
        row[:, crop.shape[1] :] = crop[:, -1:]
    return batch
