"""Detection targets: quads of text lines drawn into stride-4 maps.

EAST, section 3.4 (Zhou et al. 2017): the core of a line is text, the ring between core and edge has
no weight in the score, and the rest is background. Unlike in EAST, the cells of the ring still
learn their box, with less weight, so that a false score in the ring does no harm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.detect.maps import STRIDE
from sdk.geometry import cell_centers, distances, fit_rectangles, side_lengths

__all__ = ["detection_targets"]

_ACROSS = 0.22
_ALONG = 0.3
_RING_WEIGHT = 0.25


def detection_targets(
    quads: ArrayLike, ignored: ArrayLike, height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the targets of ``losses.score_loss`` and ``losses.geometry_loss``.

    Args:
        quads: (n, 4, 2) px of the image the maps belong to.
        ignored: bool (n,), lines that are neither text nor background.
        height: Rows of the maps.
        width: Columns of the maps.

    Returns:
        score float32 (height, width, 2): 1 where text, weight; geometry float32 (height, width, 7):
        weight, px to top, bottom, start and end, cos and sin of the reading direction. Where lines
        overlap, the smaller wins; every line inside the image has at least one cell.
    """
    score = np.zeros((height, width, 2), np.float32)
    score[..., 1] = 1
    geometry = np.zeros((height, width, 7), np.float32)
    boxes = fit_rectangles(np.asarray(quads, np.float32).reshape(-1, 4, 2))
    skip = np.asarray(ignored, bool).reshape(-1)
    across, along = side_lengths(boxes)[1], side_lengths(boxes)[0]
    centers = cell_centers(height, width, STRIDE)
    # ignored lines first, then large to small: later lines overwrite earlier ones
    for n in np.lexsort((-across * along, ~skip)):
        box = boxes[n]
        low = np.floor(box.min(0) / STRIDE).astype(int)
        high = np.ceil(box.max(0) / STRIDE).astype(int)
        rows = slice(max(low[1], 0), min(high[1], height))
        columns = slice(max(low[0], 0), min(high[0], width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        horizontal, vertical = distances(centers[rows, columns], box)
        inside = np.minimum(horizontal.min(-1), vertical.min(-1)) >= 0
        if skip[n]:
            score[rows, columns][inside] = (0, 0)
            geometry[rows, columns, 0][inside] = 0
            continue
        # small lines keep a core of at least one cell
        margin_v = min(_ACROSS * across[n], max(across[n] / 2 - STRIDE / 2, 0))
        margin_h = min(_ALONG * across[n], max(along[n] / 2 - STRIDE / 2, 0))
        text = inside & (vertical.min(-1) >= margin_v) & (horizontal.min(-1) >= margin_h)
        middle = np.floor(box.mean(0) / STRIDE).astype(int) - (columns.start, rows.start)
        if 0 <= middle[0] < text.shape[1] and 0 <= middle[1] < text.shape[0]:
            text[middle[1], middle[0]] = True
            inside |= text
        score[rows, columns][inside] = (0, 0)
        score[rows, columns][text] = (1, 1)
        values = np.empty((*text.shape, 7), np.float32)
        values[..., 0] = np.where(text, 1, _RING_WEIGHT)
        # a core cell's center may lie just outside a very thin line
        values[..., 1:3] = np.maximum(vertical, 0)
        values[..., 3:5] = np.maximum(horizontal, 0)
        reading = box[1] - box[0]
        values[..., 5:7] = reading / max(float(np.hypot(*reading)), 1e-6)
        geometry[rows, columns][inside] = values[inside]
    return score, geometry
