"""JPEG files, decoded by OpenCV, which needs less memory than Pillow.

Pillow holds four bytes per pixel, and keeps them while a photo is turned upright. OpenCV frees its
three bytes per pixel as soon as the array exists. Both use libjpeg-turbo and give the same pixels.
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

# Encoders write about ten scans. The decoder needs the same time for each scan, however small.
MAX_SCANS = 50

_END_OF_IMAGE = b"\xff\xd9"
# Number of rows whose channel order is changed at a time.
_BAND = 256
# From this size in bytes, saving one copy of the pixels is worth a second decoding of the file.
_LARGE = 2**23
# A marker. Inside compressed data, only a zero or a restart marker follows 0xFF.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START_OF_IMAGE, _END, _START_OF_SCAN, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0x01
_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def check_scans(data: bytes, name: str) -> None:
    """Raise ImageError if a JPEG file has more scans than any encoder writes.

    Args:
        data: Content of the file.
        name: Name of the file in messages.
    """
    scans, at = 0, 0
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = data[found.start() + 1], found.end()
        if marker == _END:
            return
        scans += marker == _START_OF_SCAN
        if scans > MAX_SCANS:
            raise ImageError(
                f"Cannot decode {name}: it has more than {MAX_SCANS} scans, which would take long. "
                "Save it as a baseline JPEG."
            )
        if marker not in (_START_OF_IMAGE, _TEMPORARY):
            at += int.from_bytes(data[at : at + 2], "big")


def decode_jpeg(
    data: bytes, image: Image.Image, path: str | None = None
) -> npt.NDArray[np.uint8] | None:
    """Return the pixels of an intact JPEG file with color.

    Args:
        data: Content of the file.
        image: The image that Pillow opened from the file, JPEG or MPO, with pixels not loaded.
        path: Path of the file, if any. With a path, one copy less of a large photo is needed.

    Returns:
        uint8 RGB (H, W, 3), not turned by the EXIF orientation. None for gray and CMYK files, and
        for truncated or damaged files, for which Pillow gives the better errors.
    """
    if image.mode != "RGB":
        return None
    # older versions of OpenCV fill the missing part of a truncated picture without a warning
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
    """Return uint8 BGR (H, W, 3), decoded directly into the array, None if that fails."""
    # OpenCV reports a truncated progressive file only when it decodes from memory. An eighth of
    # the size is enough for the check and takes a sixth of the time.
    if _decode_bytes(data, cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION) is None:
        return None
    pixels = np.zeros(shape, np.uint8)
    file = Path(path)
    # OpenCV before 4.10 accepts no array, and no version accepts an array of another size
    with contextlib.suppress(TypeError, cv2.error, OSError):
        if file.is_file():
            cv2.imread(path, pixels, _FLAGS)
        # the file may have been overwritten since its check; a failed read leaves the array zero
        if file.stat().st_size == len(data) and pixels.any():
            return pixels
    return None


def _decode_bytes(data: bytes, flags: int) -> npt.NDArray[np.uint8] | None:
    """Return uint8 BGR (H, W, 3), None if damaged. OpenCV holds two copies during the call."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)
