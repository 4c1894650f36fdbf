"""The result of loading, its size limits, and errors that all loaders share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from sdk.errors import ImageError, OptionError
from sdk.note import Note

__all__ = [
    "MAX_PIXELS",
    "ImageArray",
    "ImageSource",
    "Picture",
    "check_max_pixels",
    "check_size",
    "damaged",
]

# The size of sensors of 50 megapixels. Decoding needs at most 600 MB, so that no file exhausts a
# Raspberry Pi with 1 GB.
MAX_PIXELS = 8192 * 6144

ImageArray: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A loaded picture.

    Attributes:
        pixels: uint8 RGB (H, W, 3), C-contiguous and upright.
        page: Number of the page in its file, counted from 1.
        notes: Notes on content that the pixels may lack.
        load_ms: Time of loading in milliseconds.
    """

    pixels: ImageArray
    page: int = 1
    notes: tuple[Note, ...] = ()
    load_ms: float = 0.0


ImageSource: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image
    | npt.NDArray[Any] | Picture
)  # fmt: skip


def check_max_pixels(max_pixels: int) -> None:
    """Raise OptionError unless the value is a positive whole number."""
    if type(max_pixels) is not int or max_pixels < 1:
        raise OptionError(f"max_pixels is {max_pixels!r}. Give a whole number of at least 1.")


def check_size(width: int, height: int, name: str, max_pixels: int | None = None) -> None:
    """Raise ImageError if a picture is empty or too large.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        name: Name of the picture in messages.
        max_pixels: Largest number of pixels. None sets no limit.
    """
    if width < 1 or height < 1:
        raise ImageError(
            f"Cannot use {name} as an image: it is {width} x {height} pixels. "
            "Pass at least one pixel; an empty crop is usually a box outside the picture."
        )
    if max_pixels is not None and width * height > max_pixels:
        raise ImageError(
            f"Cannot use {name} as an image: {width} x {height} is {width * height:,} pixels, "
            f"the limit is {max_pixels:,}. Scale the picture down first, or raise max_pixels if "
            "there is enough memory."
        )


def damaged(name: str, error: Exception) -> ImageError:
    """Return the error for a file that cannot be decoded."""
    return ImageError(
        f"Cannot decode {name}: the file is damaged or truncated ({error}). "
        "Copy or download it again."
    )
