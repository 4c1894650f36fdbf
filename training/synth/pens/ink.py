"""Result of a pen: the coverage mask of a line of text with its character boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MARGIN = 4
"""Default margin around the text in pixels, for boxes, blur and relief."""


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """One drawn line of text.

    Attributes:
        mask: uint8 (h, w), coverage 0..255; upright, from left to right.
        chars: float32 (n, 4), x0, y0, x1, y1 in pixels of `mask`, a box for each character of
            `text`, spaces included, in reading order; a box has the advance of its character and
            the height of the line.
        text: The n characters.
        margin: Pixels between the line's box and each edge of `mask`.
        ghost: uint8 (h, w) or None; a second, weaker coverage of the same size (unlit segments of
            a display), zero where `mask` is full.
    """

    mask: NDArray[np.uint8]
    chars: NDArray[np.float32]
    text: str
    margin: int
    ghost: NDArray[np.uint8] | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Box x0, y0, x1, y1 of the line in pixels of `mask`: the mask without its margin."""
        height, width = self.mask.shape
        m = float(self.margin)
        return m, m, width - m, height - m


def trim(
    mask: NDArray[np.uint8],
    spans: NDArray[np.float32],
    text: str,
    band: tuple[float, float],
    *,
    margin: int = MARGIN,
    ghost: NDArray[np.uint8] | None = None,
) -> Ink:
    """Crop a canvas to its text with a margin.

    The line's box is the bounding box of the ink, extended to `band` so that a line of dots or
    dashes has the height of its letters. A ghost is cropped to the same box, because unlit digits
    beside a reading are not text.

    Args:
        mask: uint8 (h, w) canvas.
        spans: float32 (n, 2), x0 and x1 of each character's advance on the canvas.
        text: The n characters.
        band: Text band: y of the top and bottom of letters without ascender or descender.
        margin: Pixels around the box.
        ghost: uint8 (h, w) or None.

    Raises:
        ValueError: The canvas has no ink.
    """
    across, down = mask.max(axis=1), mask.max(axis=0)
    # faint edges do not count, unless a small, thin line has no stronger pixels
    least = min(32, int(across.max()) // 2 + 1)
    rows, columns = np.flatnonzero(across >= least), np.flatnonzero(down >= least)
    if not across.any():
        raise ValueError(f"no ink was drawn for {text!r}: use text with a visible character")
    y0 = int(min(rows[0], np.floor(band[0])))
    y1 = int(max(rows[-1] + 1, np.ceil(band[1])))
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    chars = np.empty((len(text), 4), np.float32)
    chars[:, 0] = np.clip(spans[:, 0], x0, x1) - x0 + margin
    chars[:, 2] = np.clip(spans[:, 1], x0, x1) - x0 + margin
    chars[:, 1] = margin
    chars[:, 3] = y1 - y0 + margin
    region = (y0, y1, x0, x1)
    return Ink(
        _crop(mask, region, margin),
        chars,
        text,
        margin,
        None if ghost is None else _crop(ghost, region, margin),
    )


def _crop(
    canvas: NDArray[np.uint8], region: tuple[int, int, int, int], margin: int
) -> NDArray[np.uint8]:
    y0, y1, x0, x1 = region
    out = np.zeros((y1 - y0 + 2 * margin, x1 - x0 + 2 * margin), np.uint8)
    top, bottom = max(y0 - margin, 0), min(y1 + margin, canvas.shape[0])
    left, right = max(x0 - margin, 0), min(x1 + margin, canvas.shape[1])
    dy, dx = top - (y0 - margin), left - (x0 - margin)
    out[dy : dy + bottom - top, dx : dx + right - left] = canvas[top:bottom, left:right]
    return out
