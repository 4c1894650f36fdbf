"""Regions: parts of a picture, in shares of the picture's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sdk.errors import OptionError
from sdk.image.load import ImageArray
from sdk.results import Quad, TextLine

__all__ = ["Region", "Shares", "moved"]

Shares = tuple[float, float, float, float]
"""x, y, width and height of a region, as shares of the picture's size."""


class Region(NamedTuple):
    """A part of a picture, as shares of the picture's size, 0 to 1.

    Attributes:
        x: Left edge.
        y: Upper edge.
        width: Width.
        height: Height.
    """

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of(cls, values: Region | Sequence[float]) -> Region:
        """Return a checked region.

        Args:
            values: x, y, width, height as shares of the picture, 0 to 1, or a region.

        Raises:
            OptionError: The values are not four numbers, or the region is empty or partly outside
                the picture.
        """
        if isinstance(values, Region):
            return values
        try:
            x, y, width, height = (float(value) for value in values)
        except (TypeError, ValueError):
            x = y = width = height = -1.0
        sides = ((x, width), (y, height))
        # rounded shares such as 0.333 may exceed the edge slightly
        if not all(start >= 0 and size > 0 and start + size <= 1.001 for start, size in sides):
            raise OptionError(
                f"region is {values!r}. Give x, y, width, height as shares of the picture, 0 to 1, "
                "for example (0.25, 0.5, 0.5, 0.25)."
            )
        return cls(x, y, width, height)

    def cut(self, pixels: ImageArray) -> tuple[ImageArray, tuple[int, int]]:
        """Return the pixels of the region and its top left corner, at least one pixel.

        Args:
            pixels: uint8 RGB (H, W, 3).
        """
        height, width = pixels.shape[:2]
        left, top = int(self.x * width), int(self.y * height)
        right = max(left + 1, round((self.x + self.width) * width))
        bottom = max(top + 1, round((self.y + self.height) * height))
        return pixels[top:bottom, left:right], (left, top)


def moved(line: TextLine, x: float, y: float) -> TextLine:
    """Return a line whose coordinates are moved right by x and down by y pixels."""
    if x == y == 0:  # of most pictures the whole is read
        return line
    chars = tuple(
        char if char.quad is None else replace(char, quad=_moved(char.quad, x, y))
        for char in line.chars
    )
    return replace(line, quad=_moved(line.quad, x, y), chars=chars)


def _moved(quad: Quad, x: float, y: float) -> Quad:
    a, b, c, d = ((px + x, py + y) for px, py in quad)
    return a, b, c, d
