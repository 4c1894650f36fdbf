"""Conversion of PIL images to pixels, band by band.

Pillow holds a picture in one to four bytes per pixel. Whole copies on the way to RGB would need the
same memory again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from sdk.errors import ImageError
from sdk.image.arrays import check_floats, to_uint8
from sdk.image.picture import ImageArray, Picture, damaged
from sdk.image.transparency import choose_background, lay_on
from sdk.note import Note

__all__ = ["decode", "orientation_of", "turn_upright"]

logger = logging.getLogger("sdk")

_ORIENTATION_TAG = 0x0112
# Operations that turn a picture with an EXIF orientation upright (EXIF 2.3, table 6): whether rows
# and columns are transposed, and OpenCV's code of the flip that follows.
_TOP_BOTTOM, _LEFT_RIGHT, _BOTH = 0, 1, -1
_UPRIGHT = {
    2: (False, _LEFT_RIGHT),
    3: (False, _BOTH),
    4: (False, _TOP_BOTTOM),
    5: (True, None),
    6: (True, _LEFT_RIGHT),
    7: (True, _BOTH),
    8: (True, _TOP_BOTTOM),
}
_ROWS = 256  # rows of a band


def decode(image: Image.Image, name: str) -> Picture:
    """Return the upright picture of a PIL image.

    Args:
        image: The image. Its pixels are loaded if they are not loaded yet.
        name: Name of the image in messages.

    Raises:
        ImageError: The image cannot be decoded, or its values are outside the legal range.
    """
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # broken data makes Pillow's decoders raise any exception
        raise damaged(name, error) from error
    orientation = orientation_of(image, name)
    notes: tuple[Note, ...] = ()
    try:
        if image.mode == "F" or image.mode.startswith("I"):
            pixels = _deep_gray(image, name)
        elif image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
            background, notes = choose_background(_rgba(band) for band in _bands(image))
            pixels = _stacked(image, (lay_on(background, _rgba(band)) for band in _bands(image)))
        else:
            pixels = _stacked(image, (np.asarray(_converted(x, "RGB")) for x in _bands(image)))
    except (ValueError, OSError) as error:
        raise ImageError(
            f"Cannot convert {name} from mode {image.mode} to RGB: {error}. Save it as RGB or gray."
        ) from error
    return Picture(turn_upright(pixels, orientation), notes=notes)


def orientation_of(image: Image.Image, name: str) -> int:
    """Return the EXIF orientation, 1 if the image has none."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception as error:  # an intact picture with damaged metadata must still be read
        logger.warning(
            "Cannot read the EXIF data of %s: %s. The picture is treated as upright.", name, error
        )
        return 1


def turn_upright(pixels: ImageArray, orientation: int) -> ImageArray:
    """Return pixels turned upright by their EXIF orientation. The input may be changed in place."""
    transposed, mirrored = _UPRIGHT.get(orientation, (False, None))
    if transposed:
        pixels = np.asarray(cv2.transpose(pixels), np.uint8)
    if mirrored is not None:
        cv2.flip(pixels, mirrored, dst=pixels)
    return pixels


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    for top in range(0, image.height, _ROWS):
        yield image.crop((0, top, image.width, min(top + _ROWS, image.height)))


def _stacked(image: Image.Image, bands: Iterator[npt.NDArray[np.uint8]]) -> ImageArray:
    """Return the image of its bands, (h, W, 3) or gray (h, W, 1), as (H, W, 3)."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, band in zip(range(0, image.height, _ROWS), bands, strict=True):
        pixels[top : top + _ROWS] = band
    return pixels


def _converted(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def _rgba(image: Image.Image) -> npt.NDArray[np.uint8]:
    if image.mode == "La":  # Pillow converts premultiplied gray only to LA
        image = image.convert("LA")
    return np.asarray(_converted(image, "RGBA"))


def _deep_gray(image: Image.Image, name: str) -> ImageArray:
    """Return the pixels of a gray picture with more than 8 bits per pixel."""
    dtype: Any = None
    if image.mode == "F":
        check_floats((np.asarray(band) for band in _bands(image)), name)
    elif image.mode == "I":
        _check_integers(image, name)
        dtype = np.uint16
    values = (np.asarray(band, dtype) for band in _bands(image))
    return _stacked(image, (to_uint8(band)[:, :, None] for band in values))


def _check_integers(image: Image.Image, name: str) -> None:
    sides = [(int(x.min()), int(x.max())) for x in map(np.asarray, _bands(image))]
    low, high = min(x for x, _ in sides), max(x for _, x in sides)
    if low < 0 or high > 65535:
        raise ImageError(
            f"Cannot use {name}: its 32-bit values go from {low} to {high}. "
            "Scale them to 0..65535 or save the picture with 8 bits."
        )
