"""Pictures with transparent parts, laid on the ground on which more of them is seen."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from sdk.image.picture import ImageArray
from sdk.note import Note

__all__ = ["choose_ground", "lay_on"]

WHITE, BLACK = 255, 0
# A difference of brightness from which more of it makes a stroke no clearer, and one below which
# a stroke is hardly seen.
_CLEAR, _FAINT = 128, 32
# The share of the edges that may be faint without a note.
_FAINT_SHARE = 0.1
_CROSS = np.ones((3, 3), np.uint8)


def choose_ground(
    bands: Iterable[npt.NDArray[np.uint8]],
) -> tuple[int, tuple[Note, ...]]:
    """Return the gray value, 255 or 0, to lay a picture on, and what is not seen on it.

    What counts are the edges of the visible parts: how much their brightness differs from the
    ground beside them, weighted by how far they rise above it. White wins a draw.

    Args:
        bands: uint8 RGBA (h, W, 4) with straight alpha, the picture from top to bottom.
    """
    weights = np.zeros(256)  # of the edges, by brightness
    seen = False
    for band in bands:
        alpha = np.ascontiguousarray(band[:, :, 3])
        seen = seen or bool(alpha.any())
        edges = alpha - cv2.erode(alpha, _CROSS)
        gray = cv2.cvtColor(np.ascontiguousarray(band[:, :, :3]), cv2.COLOR_RGB2GRAY)
        weights += np.bincount(gray.ravel(), edges.ravel(), 256)
    levels = np.arange(256)
    if not seen:
        return WHITE, (
            Note(
                "transparent",
                "The picture is wholly transparent: nothing of it was read. "
                "Save it without transparency.",
            ),
        )
    contrast = {ground: np.abs(levels - ground) for ground in (WHITE, BLACK)}
    clear = {ground: weights @ np.minimum(x, _CLEAR) for ground, x in contrast.items()}
    ground = BLACK if clear[BLACK] > clear[WHITE] else WHITE
    if weights[contrast[ground] < _FAINT].sum() <= _FAINT_SHARE * weights.sum():
        return ground, ()
    name, shade = ("white", "light") if ground == WHITE else ("black", "dark")
    return ground, (
        Note(
            "transparent",
            f"The picture is transparent and was laid on {name}: {shade} text on transparent "
            "ground was not read. Lay the picture on a ground of another color.",
        ),
    )


def lay_on(ground: int, rgba: npt.NDArray[np.uint8]) -> ImageArray:
    """Lay uint8 (H, W, 4) with straight alpha on gray; uint8 (H, W, 3), rounded to nearest."""
    if rgba[:, :, 3].min() == 255:
        return np.ascontiguousarray(rgba[:, :, :3])
    alpha = rgba[:, :, 3:].astype(np.uint16)
    # 255 * 255 + 127 fits into 16 bits.
    mixed = rgba[:, :, :3] * alpha + (ground * (255 - alpha) + 127)
    return np.ascontiguousarray(mixed // 255, dtype=np.uint8)
