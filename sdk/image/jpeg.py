"""JPEG files, decoded by OpenCV, which takes less memory than Pillow.

Pillow holds four bytes a pixel, and still does so while a photo is turned upright; OpenCV's three
bytes are free once they are an array. Both use libjpeg-turbo and give the same pixels.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["decode_jpeg"]

_END_OF_IMAGE = b"\xff\xd9"
# Rows that change their channel order at a time.
_BAND = 256
# Bytes of pixels from which a copy less is worth a second look at the file.
_LARGE = 2**23
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def decode_jpeg(
    data: bytes, image: Image.Image, path: str | None = None
) -> npt.NDArray[np.uint8] | None:
    """Return the pixels of a sound JPEG file with color.

    Args:
        data: The file.
        image: What Pillow opened in it; its pixels are not loaded.
        path: Where the file lies, if it does; saves a copy of the pixels of a large photo.

    Returns:
        uint8 RGB (H, W, 3), not turned as the EXIF orientation says; None for gray and CMYK,
        other formats, and files that are cut short or damaged: Pillow knows better what they are.
    """
    if image.format not in ("JPEG", "MPO") or image.mode != "RGB":
        return None
    # older OpenCVs fill what is missing of a picture without a word
    if not data.endswith(_END_OF_IMAGE):
        return None
    shape = (image.height, image.width, 3)
    pixels = None
    if path and image.height * image.width * 3 > _LARGE:
        pixels = _decode_file(path, data, shape)
    if pixels is None:
        pixels = _decode_bytes(data, _FLAGS)
    if pixels is None or pixels.shape != shape:
        return None
    for top in range(0, len(pixels), _BAND):
        band = pixels[top : top + _BAND]
        band[:] = cv2.cvtColor(band, cv2.COLOR_BGR2RGB)
    return pixels


def _decode_file(
    path: str, data: bytes, shape: tuple[int, int, int]
) -> npt.NDArray[np.uint8] | None:
    """Return uint8 BGR (H, W, 3), decoded into the array itself; None if that does not work."""
    # a progressive file that ends early is an error to OpenCV from memory only, where an
    # eighth of the size tells it too, at a sixth of the time
    if _decode_bytes(data, cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION) is None:
        return None
    pixels = np.zeros(shape, np.uint8)
    file = Path(path)
    # OpenCV before 4.10 takes no array, and none takes one of another size
    with contextlib.suppress(TypeError, cv2.error, OSError):
        if file.is_file():
            cv2.imread(path, pixels, _FLAGS)
        # a file that is written anew meanwhile is no longer the one that was found sound; what
        # cannot be opened leaves the array as it is
        if file.stat().st_size == len(data) and pixels.any():
            return pixels
    return None


def _decode_bytes(data: bytes, flags: int) -> npt.NDArray[np.uint8] | None:
    """Return uint8 BGR (H, W, 3), of which OpenCV holds two copies meanwhile; None if damaged."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)
