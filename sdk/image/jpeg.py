"""JPEG files, decoded by OpenCV, which takes less memory than Pillow.

Pillow holds four bytes a pixel, and still does so while a photo is turned upright; OpenCV's three
bytes are free once they are an array. Both use libjpeg-turbo and give the same pixels.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from sdk.errors import ImageError

__all__ = ["check_scans", "decode_jpeg"]

# Encoders write about ten. Each goes over the whole picture, however few bytes it has.
MAX_SCANS = 50

_END_OF_IMAGE = b"\xff\xd9"
# Rows that change their channel order at a time.
_BAND = 256
# Bytes of pixels from which a copy less is worth a second look at the file.
_LARGE = 2**23
# A marker behind compressed data, in which 0xFF stands before a zero or a restart only.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START_OF_IMAGE, _END, _START_OF_SCAN, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0x01
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def check_scans(data: bytes, name: str) -> None:
    """Raise ImageError where a JPEG file has more scans than any encoder writes.

    Args:
        data: The file.
        name: What to call it.
    """
    scans, at = 0, 0
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = data[found.start() + 1], found.end()
        if marker == _END:
            return
        scans += marker == _START_OF_SCAN
        if scans > MAX_SCANS:
            raise ImageError(
                f"Cannot decode {name}: it has more than {MAX_SCANS} scans, which take long. "
                "Save it as a baseline JPEG."
            )
        if marker not in (_START_OF_IMAGE, _TEMPORARY):
            at += int.from_bytes(data[at : at + 2], "big")


def decode_jpeg(
    data: bytes, image: Image.Image, path: str | None = None
) -> npt.NDArray[np.uint8] | None:
    """Return the pixels of a sound JPEG file with color.

    Args:
        data: The file.
        image: What Pillow opened in it, JPEG or MPO; its pixels are not loaded.
        path: Where the file lies, if it does; saves a copy of the pixels of a large photo.

    Returns:
        uint8 RGB (H, W, 3), not turned as the EXIF orientation says; None for gray and CMYK,
        and files that are cut short or damaged: Pillow knows better what they are.
    """
    if image.mode != "RGB":
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
