"""Conversion of arrays from OpenCV, scikit-image or a camera to uint8 RGB."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from sdk.errors import ImageError
from sdk.image.picture import ImageArray, Picture, check_size
from sdk.image.transparency import choose_background, lay_on
from sdk.note import Note

__all__ = ["check_floats", "from_array", "to_uint8"]

# Resampling overshoots slightly. A larger excess means another value range.
_FLOAT_SLACK = 1e-3


def from_array(array: npt.NDArray[Any], channels: str) -> Picture:
    """Return the picture of an array, see `load_image`."""
    pixels = np.asarray(array)
    _check_shape(pixels)
    values = to_uint8(pixels)
    if values.ndim == 2:
        values = values[:, :, None]
    if values.shape[2] == 1:
        return Picture(np.repeat(values, 3, axis=2))
    if channels == "bgr":
        values = values[:, :, [2, 1, 0, 3][: values.shape[2]]]
    notes: tuple[Note, ...] = ()
    if values.shape[2] == 4:
        background, notes = choose_background([values])
        values = lay_on(background, values)
    return Picture(np.ascontiguousarray(values), notes=notes)


def _check_shape(array: npt.NDArray[Any]) -> None:
    shape = array.shape
    found = f"an array of shape {shape} and dtype {array.dtype}"
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 3, 4)):
        if array.ndim == 4:
            advice = "Pass the pictures of a batch one by one, or to read_batch."
        elif array.ndim == 3 and shape[0] in (1, 3, 4):
            advice = "Put the channels last: array.transpose(1, 2, 0)."
        else:
            advice = "Pass (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."
        raise ImageError(f"Cannot use {found} as an image. {advice}")
    check_size(shape[1], shape[0], found)


def to_uint8(array: npt.NDArray[Any]) -> ImageArray:
    """Return uint8, uint16, bool or float (0..1) values as uint8 0..255, rounded to nearest.

    Raises:
        ImageError: The values have another dtype, or floats are outside 0..1.
    """
    kind, size = array.dtype.kind, array.dtype.itemsize
    if array.dtype == np.uint8:
        return array
    if kind == "b":
        return np.asarray(np.multiply(array, 255, dtype=np.uint8))
    if kind == "u" and size == 2:
        # 65535 / 255 = 257; 128 rounds to nearest
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind == "f":
        check_floats([array], f"an array of dtype {array.dtype}")
        scaled = np.clip(array.astype(np.float32), 0.0, 1.0) * 255.0 + 0.5
        return np.asarray(scaled, dtype=np.uint8)
    raise ImageError(
        f"Cannot use an array of dtype {array.dtype} as an image. Pass uint8 (0..255), "
        "uint16 (0..65535), bool or float (0..1), for example array.astype(np.uint8)."
    )


def check_floats(parts: Iterable[npt.NDArray[Any]], found: str) -> None:
    """Raise ImageError unless all values are in 0..1.

    Args:
        parts: Float arrays.
        found: Description of their source, for the message.
    """
    low, high, bad, size = math.inf, -math.inf, 0, 0
    for part in parts:
        sides = float(part.min()), float(part.max())
        size += part.size
        if not np.isfinite(sides).all():
            bad += part.size - int(np.count_nonzero(np.isfinite(part)))
        low, high = min(low, sides[0]), max(high, sides[1])
    if bad:
        raise ImageError(
            f"Cannot use {found} as an image: {bad} of its {size} values are NaN or infinite. "
            "Replace them first, for example by np.nan_to_num."
        )
    if low < -_FLOAT_SLACK or high > 1 + _FLOAT_SLACK:
        advice = "Divide by 255." if low >= 0 and 2 < high <= 255 else "Scale them to that range."
        raise ImageError(
            f"Cannot use {found} as an image: its values go from {low:.4g} to {high:.4g}, floats "
            f"must be in 0..1. {advice}"
        )
