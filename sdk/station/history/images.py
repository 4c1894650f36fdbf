"""JPEG encoding of product pictures: thumbnails for the database, full pictures for files."""

from __future__ import annotations

import cv2
import numpy as np

from sdk.errors import HistoryError
from sdk.image.load import ImageArray

__all__ = ["THUMBNAIL_BYTES", "encode_picture", "encode_thumbnail"]

THUMBNAIL_BYTES = 8192
THUMBNAIL_PX = 320
PICTURE_QUALITY = 90


def encode_picture(image: ImageArray) -> bytes:
    """Return a picture, uint8 RGB (H, W, 3), as JPEG in full size."""
    return _encode(image, PICTURE_QUALITY)


def encode_thumbnail(image: ImageArray) -> bytes:
    """Return a picture, uint8 RGB (H, W, 3), as a JPEG of at most `THUMBNAIL_BYTES`."""
    side = THUMBNAIL_PX
    while True:
        scale = min(1.0, side / max(image.shape[:2]))
        size = [max(1, round(n * scale)) for n in (image.shape[1], image.shape[0])]
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        for quality in (75, 55, 35):
            data = _encode(small, quality)
            if len(data) <= THUMBNAIL_BYTES:
                return data
        side = side * 3 // 4


def _encode(image: ImageArray, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise HistoryError(f"Cannot write a picture of shape {image.shape} as JPEG.")
    return bytes(data)
