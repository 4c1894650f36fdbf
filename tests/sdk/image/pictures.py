"""Pictures whose pixels are known, and their files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners_picture() -> Image.Image:
    """A 40 x 24 picture whose quarters are red, green, blue and white, clockwise from top left."""
    image = Image.new("RGB", (40, 24), RED)
    image.paste(GREEN, (20, 0, 40, 12))
    image.paste(BLUE, (20, 12, 40, 24))
    image.paste(WHITE, (0, 12, 20, 24))
    return image


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def assert_is_picture(array: npt.NDArray[Any], height: int, width: int) -> None:
    assert array.dtype == np.uint8
    assert array.shape == (height, width, 3)
    assert array.flags.c_contiguous
