"""Backgrounds for pictures with transparent parts."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from sdk.image.picture import ImageArray
from sdk.note import Note

__all__ = ["choose_background", "lay_on"]

WHITE, BLACK = 255, 0
# Differences of brightness. Above the first a stroke is perfectly clear, below the second it is
# hardly visible.
_CLEAR, _FAINT = 128, 32
# Share of the edges that may be faint without a note.
_FAINT_SHARE = 0.1
_CROSS = np.ones((3, 3), np.uint8)


def choose_background(
    bands: Iterable[npt.NDArray[np.uint8]],
) -> tuple[int, tuple[Note, ...]]:
    """Return the background for a picture, and a note if parts are not visible on it.

    The choice depends on the edges of the opaque parts: the difference of their brightness from the
    background, weighted by their step in alpha. White wins a draw.

    Args:
        bands: uint8 RGBA (h, W, 4) with straight alpha, the picture from top to bottom.

    Returns:
        The gray value of the background, 255 or 0, and notes.
    """
    weights = np.zeros(256)  # weights of the edges by brightness
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
                "The picture is completely transparent: no text was read. "
                "Save it without transparency.",
            ),
        )
    contrast = {gray: np.abs(levels - gray) for gray in (WHITE, BLACK)}
    clear = {gray: weights @ np.minimum(x, _CLEAR) for gray, x in contrast.items()}
    background = BLACK if clear[BLACK] > clear[WHITE] else WHITE
    if weights[contrast[background] < _FAINT].sum() <= _FAINT_SHARE * weights.sum():
        return background, ()
    name, shade = ("white", "light") if background == WHITE else ("black", "dark")
    return background, (
        Note(
            "transparent",
            f"The picture is transparent and got a {name} background: {shade} text on transparent "
            "parts was not read. Give the picture a background of another color.",
        ),
    )


def lay_on(background: int, rgba: npt.NDArray[np.uint8]) -> ImageArray:
    """Return a picture on a gray background.

    Args:
        background: Gray value, 0..255.
        rgba: uint8 (H, W, 4) with straight alpha.

    Returns:
        uint8 (H, W, 3), rounded to nearest.
    """
    if rgba[:, :, 3].min() == 255:
        return np.ascontiguousarray(rgba[:, :, :3])
    alpha = rgba[:, :, 3:].astype(np.uint16)
    # 255 * 255 + 127 fits into 16 bits
    mixed = rgba[:, :, :3] * alpha + (background * (255 - alpha) + 127)
    return np.ascontiguousarray(mixed // 255, dtype=np.uint8)
