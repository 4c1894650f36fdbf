"""Read a part of a picture, with places given in the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sdk.errors import OptionError
from sdk.results import Quad, Reading, TextLine

if TYPE_CHECKING:
    from sdk.image.load import ImageArray
    from sdk.reader import Reader

# x, y of the top left corner, width and height, as shares of the picture's size.
Region = tuple[float, float, float, float]


def check_region(region: Sequence[float]) -> Region:
    """Return a region of a picture after checking it.

    Args:
        region: x, y, width, height as shares of the picture, 0 to 1.

    Raises:
        OptionError: It is no four numbers, empty, or not within the picture.
    """
    try:
        x, y, width, height = (float(value) for value in region)
    except (TypeError, ValueError):
        x = y = width = height = -1.0
    sides = ((x, width), (y, height))
    # rounded shares such as 0.333 may go over the edge by a hair
    if not all(start >= 0 and size > 0 and start + size <= 1.001 for start, size in sides):
        raise OptionError(
            f"region is {region!r}. Give x, y, width, height as shares of the picture, 0 to 1, "
            "for example (0.25, 0.5, 0.5, 0.25)."
        )
    return x, y, width, height


def read_region(
    reader: Reader, image: ImageArray, region: Region | None, **options: Any
) -> Reading:
    """Return the text in a part of a picture.

    Args:
        reader: Who reads.
        image: uint8 RGB (H, W, 3).
        region: The part, see `check_region`; None reads all of it.
        **options: As for `Reader.read`.

    Returns:
        The reading; points and size are those of the whole picture.

    Raises:
        SdkError: As `Reader.read`.
    """
    if region is None:
        return reader.read(image, **options)
    height, width = image.shape[:2]
    left, top = int(region[0] * width), int(region[1] * height)
    right = max(left + 1, round((region[0] + region[2]) * width))
    bottom = max(top + 1, round((region[1] + region[3]) * height))
    reading = reader.read(image[top:bottom, left:right], **options)
    lines = tuple(_move_line(line, left, top) for line in reading)
    return replace(reading, lines=lines, width=width, height=height)


def _move_line(line: TextLine, x: float, y: float) -> TextLine:
    chars = tuple(
        char if char.quad is None else replace(char, quad=_move(char.quad, x, y))
        for char in line.chars
    )
    return replace(line, quad=_move(line.quad, x, y), chars=chars)


def _move(quad: Quad, x: float, y: float) -> Quad:
    a, b, c, d = ((px + x, py + y) for px, py in quad)
    return a, b, c, d
