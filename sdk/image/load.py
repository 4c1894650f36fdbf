"""Loading of pictures from any source as upright uint8 RGB (H, W, 3).

Pillow decodes files, OpenCV decodes most JPEG files, pypdfium2 draws PDF files. Arrays may come
from OpenCV, scikit-image or a camera. Transparent pictures get a white background, or a black
background if it shows more of the picture.
"""

from __future__ import annotations

import logging
import os

import numpy as np
from PIL import Image

from sdk.errors import ImageError, OptionError
from sdk.image.arrays import from_array
from sdk.image.decode import decode
from sdk.image.document import Document, Pages, SinglePicture
from sdk.image.picture import (
    MAX_PIXELS,
    ImageArray,
    ImageSource,
    Picture,
    check_max_pixels,
    check_size,
)
from sdk.image.pillow import PillowDocument
from sdk.image.source import open_source

__all__ = [
    "MAX_PIXELS",
    "Document",
    "ImageArray",
    "ImageSource",
    "Pages",
    "Picture",
    "load_image",
    "load_picture",
    "open_document",
]

logger = logging.getLogger("sdk")


def load_image(
    source: ImageSource,
    channels: str = "rgb",
    *,
    page: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> ImageArray:
    """Return a picture as uint8 RGB (H, W, 3), C-contiguous and upright.

    Files, bytes and PIL images are turned by their EXIF orientation. Of an animation the first
    frame is loaded. Frames or pages that are left out are logged as a warning. Arrays are (H, W),
    (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16 (0..65535), bool, or float (0..1).

    Args:
        source: A path, the bytes of an image file, a binary file object, a PIL image, an array, or
            a result of `load_picture`.
        channels: Channel order of an array with color: "rgb", or OpenCV's "bgr". A fourth channel
            is alpha in both orders. Other sources define their own order.
        page: Number of a page of a TIFF or PDF file, counted from 1. None loads the first page.
        max_pixels: Largest number of decoded pixels. For WebP, JPEG 2000 and progressive CMYK
            files, which need twice the memory, half as many. The limit does not apply to arrays.

    Returns:
        The picture. The array may be the very array that was passed, so treat it as read-only.

    Raises:
        ImageError: The source is missing, not a picture, damaged, empty or too large, has no such
            page, or is an array of an illegal shape, dtype or range.
        OptionError: `channels`, `page` or `max_pixels` is not legal.
    """
    if isinstance(source, Picture):  # its notes were given to the caller of load_picture
        return source.pixels
    with open_document(source, channels, max_pixels=max_pixels) as document:
        picture = document.first() if page is None else document.load(page)
    for note in picture.notes:
        logger.warning("%s: %s", document.name, note.text)
    return picture.pixels


def load_picture(
    source: ImageSource, channels: str = "rgb", *, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Return the picture of a source, or its first page, see `load_image`.

    The notes of the picture state which pages or frames were left out.
    """
    if isinstance(source, Picture):
        return source
    with open_document(source, channels, max_pixels=max_pixels) as document:
        return document.first()


def open_document(
    source: ImageSource, channels: str = "rgb", *, max_pixels: int = MAX_PIXELS
) -> Document:
    """Return the pages of a source, see `load_image`. Close the document after use.

    Raises:
        ImageError: As `load_image`, except for errors that only decoding shows.
        OptionError: `channels` or `max_pixels` is not legal.
    """
    if channels not in ("rgb", "bgr"):
        raise OptionError(f'channels is {channels!r}. Give "rgb" or "bgr".')
    check_max_pixels(max_pixels)
    if isinstance(source, Picture):
        return SinglePicture("a loaded picture", lambda: source)
    if isinstance(source, np.ndarray):
        return SinglePicture("an array", lambda: from_array(source, channels))
    if isinstance(source, Image.Image):
        name = f"a PIL image of mode {source.mode}"
        check_size(source.width, source.height, name, max_pixels)
        return SinglePicture(name, lambda: decode(source, name))
    known = isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview))
    if not known and not hasattr(source, "read"):
        hint = " (cv2.imread returns None for a file it cannot open)" if source is None else ""
        raise ImageError(
            f"Cannot load an image from {type(source).__name__}{hint}. "
            "Pass a path, bytes, a binary file, a PIL image or a NumPy array."
        )
    opened = open_source(source)
    try:
        if opened.head().lstrip().startswith(b"%PDF-"):
            from sdk.image.pdf import PdfDocument  # imports an optional package

            return PdfDocument(opened, max_pixels)
        return PillowDocument(opened, max_pixels)
    except BaseException:
        opened.file.close()
        raise
