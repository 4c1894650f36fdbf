"""What labeled folders of lines and those of photos have of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sdk.rectify.crop import expand_quad, rectify
from training.prepare.examine import Examiner
from training.prepare.journal import Journal

__all__ = ["WIDEST_PX", "WIDEST_TILE_PX", "Form", "Tile", "cut_line", "line_of", "quad_of"]

WIDEST_PX = 691
"""Greatest width at a height of 32 px: what `LineImages` squeezes into its widest frame."""

WIDEST_TILE_PX = 390
"""Greatest side of a picture on a sheet."""

_MARGIN = 0.1

Tile = Callable[[np.ndarray, list[tuple[str, np.ndarray, bool]]], np.ndarray]
"""Picture of a sheet, from a picture of the folder and its texts: text, quad, whether it is used.

All pictures are uint8 RGB (H, W, 3).
"""


@dataclass(frozen=True)
class Form:
    """The form of a labeled folder.

    Attributes:
        command: Name of the command that prepares it.
        units: What the pictures of the folder show.
        by_photo: Whether all items of one picture are written as one picture.
        examiner: Class of the examiner.
        stratum: SQL expression over the items of a source, by which the splits are stratified.
        rows: Yields the rows of the labels.
        tile: Draws a picture of the sheet of samples.
        advice: What to do if nothing can be used, by the commonest reason.
    """

    command: str
    units: str
    by_photo: bool
    examiner: type[Examiner]
    stratum: str
    rows: Callable[[Journal], Iterator[dict[str, Any]]]
    tile: Tile
    advice: Mapping[str, str] = field(default_factory=dict)


def quad_of(place: str) -> np.ndarray:
    """Return the quad of an item of the journal, float32 (4, 2); (0, 2) without a place."""
    return np.array(json.loads(place or "[]"), np.float32).reshape(-1, 2)


def line_of(picture: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """Return the picture of a line, uint8 RGB (h, w, 3).

    Args:
        picture: Picture of the folder, uint8 RGB (H, W, 3).
        quad: Quad of the line, (4, 2); (0, 2) if the picture is the line.
    """
    return cut_line(picture, quad) if len(quad) else picture


def cut_line(picture: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """Return a line of a photo with a margin, uint8 RGB (32, w, 3)."""
    return rectify(picture, expand_quad(quad, _MARGIN, _MARGIN), 2 * WIDEST_PX)
