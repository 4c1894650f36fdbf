"""Cover a photo with overlapping tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Tile", "plan_tiles"]


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a photo, in pixels. A side is "cut" if the photo continues beyond it."""

    left: int
    top: int
    right: int
    bottom: int
    cut_left: bool
    cut_top: bool
    cut_right: bool
    cut_bottom: bool


def plan_tiles(
    width: int, height: int, tile_width: float, tile_height: float, overlap: float, most: int
) -> list[Tile]:
    """Return evenly spread tiles that cover a photo, row by row.

    Both sides of the tiles grow by the same factor until there are at most `most` tiles.

    Args:
        width: Width of the photo, pixels.
        height: Height of the photo, pixels.
        tile_width: Least width of a tile, pixels.
        tile_height: Least height of a tile, pixels.
        overlap: Least overlap of neighboring tiles as a share of a tile, 0 to 0.5.
        most: Largest number of tiles, at least 1.
    """
    grow = 1.0
    while True:
        starts_x, wide = _starts(width, tile_width * grow, overlap)
        starts_y, high = _starts(height, tile_height * grow, overlap)
        if len(starts_x) * len(starts_y) <= most:
            break
        grow *= 1.05
    return [
        Tile(x, y, x + wide, y + high, x > 0, y > 0, x + wide < width, y + high < height)
        for y in starts_y
        for x in starts_x
    ]


def _starts(length: int, tile: float, overlap: float) -> tuple[list[int], int]:
    """Return the start positions of the tiles along one side, and the length of a tile."""
    size = max(1, min(length, round(tile)))
    count = 1 + max(0, math.ceil((length - size) / (size * (1 - overlap)) - 1e-9))
    if count == 1:
        return [0], length
    return [round(i * (length - size) / (count - 1)) for i in range(count)], size
