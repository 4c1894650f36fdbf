"""JPEG files, decoded by OpenCV, which takes less memory than Pillow.

Pillow holds four bytes a pixel, and still does so while a photo is turned upright; OpenCV's three
bytes are free once they are an array. Both use libjpeg-turbo and give the same pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["decode_jpeg"]

_END_OF_IMAGE = b"\xff\xd9"
# Rows that change their channel order at a time.
_BAND = 256


def decode_jpeg(data: bytes, image: Image.Image) -> npt.NDArray[np.uint8] | None:
    """Return the pixels of a sound JPEG file with color.

    Args:
        data: The file.
        image: What Pillow opened in it; its pixels are not loaded.

    Returns:
        uint8 RGB (H, W, 3), not turned as the EXIF orientation says; None for gray and CMYK,
        other formats, and files that are cut short or damaged: Pillow knows better what they are.
    """
    if image.format not in ("JPEG", "MPO") or image.mode != "RGB":
        return None
    # older OpenCVs fill what is missing of a picture without a word
    if not data.endswith(_END_OF_IMAGE):
        return None
    try:
        pixels = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:
        return None
    if pixels is None or pixels.shape != (image.height, image.width, 3):
        return None
    for top in range(0, len(pixels), _BAND):
        band = pixels[top : top + _BAND]
        band[:] = cv2.cvtColor(band, cv2.COLOR_BGR2RGB)
    return np.asarray(pixels, np.uint8)
