"""RoIRotate: sampling of rotated text lines from a feature map as upright feature regions.

Liu et al. 2018, "FOTS: Fast Oriented Text Spotting with a Unified Network", section 3.3, equations
1 and 2. The affine map leads from output cells to map positions. Sampling is bilinear, with zeros
outside the map, for all lines at the same time. The Keras layer of the training code must equal
this reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.geometry import side_lengths

Floats = NDArray[np.float32]

__all__ = ["roi_affine", "roi_rotate"]


def roi_affine(quads: ArrayLike, height: int, max_width: int) -> tuple[Floats, NDArray[np.int32]]:
    """Return the affine maps from output cells to feature-map positions, and the output widths.

    Output cell (i, j) samples p0 + (p1 - p0) * (j + 0.5) / w + (p3 - p0) * (i + 0.5) / height.

    Args:
        quads: (n, 4, 2) in feature-map coordinates, that is input pixels / stride.
        height: Number of output rows.
        max_width: Largest number of output columns. Longer lines are squeezed into them.

    Returns:
        affines: float32 (n, 2, 3), map (j, i, 1) to (x, y) indices of the feature map. The half
            cell between positions and indices is subtracted.
        widths: int32 (n,), clip(round(height * |p1 - p0| / |p3 - p0|), 1, max_width). Side lengths
            are means of opposite sides.
    """
    q = np.asarray(quads, np.float32).reshape(-1, 4, 2).astype(np.float64)
    across, down = (side.astype(np.float64) for side in side_lengths(q))
    widths = np.clip(np.round(height * across / np.maximum(down, 1e-6)), 1, max_width).astype(
        np.int32
    )
    step_x = (q[:, 1] - q[:, 0]) / widths[:, None]
    step_y = (q[:, 3] - q[:, 0]) / height
    origin = q[:, 0] + 0.5 * step_x + 0.5 * step_y - 0.5
    return np.stack([step_x, step_y, origin], -1).astype(np.float32), widths


def roi_rotate(
    features: NDArray[Any],
    affines: Floats,
    widths: NDArray[np.int32],
    height: int,
    width: int,
    step: tuple[float, int] | None = None,
) -> Floats:
    """Return the upright feature regions of all lines.

    Args:
        features: (H, W, C) feature map, float32 or quantized integers.
        affines: float32 (n, 2, 3) from `roi_affine`.
        widths: int32 (n,), number of valid columns of each line.
        height: Number of output rows, as given to `roi_affine`.
        width: Number of output columns. Columns beyond a line's own width are zero.
        step: Scale and zero point of quantized features. None for floats.

    Returns:
        float32 (n, height, width, C).
    """
    rows, columns, channels = features.shape
    out = np.zeros((len(affines), height, width, channels), np.float32)
    valid = np.arange(width) < np.asarray(widths)[:, None]  # (n, width)
    line, j = np.nonzero(valid)
    if not len(line):
        return out
    i = np.arange(height, dtype=np.float32)
    a = np.asarray(affines, np.float32)[line]  # (m, 2, 3)
    x = a[:, 0, 0, None] * j[:, None] + a[:, 0, 1, None] * i + a[:, 0, 2, None]  # (m, height)
    y = a[:, 1, 0, None] * j[:, None] + a[:, 1, 1, None] * i + a[:, 1, 2, None]
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)

    flat = features.reshape(-1, channels)
    sampled = np.zeros((*x.shape, channels), np.float32)
    for dy, share_y in ((0, 1 - fy), (1, fy)):
        for dx, share_x in ((0, 1 - fx), (1, fx)):
            column, row = x0 + dx, y0 + dy
            inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
            index = (np.where(inside, row, 0) * columns + np.where(inside, column, 0)).astype(
                np.intp
            )
            values = flat.take(index, axis=0).astype(np.float32, copy=False)
            if step is not None:
                values -= step[1]
                values *= np.float32(step[0])
            # positions outside the map count as zero
            values *= np.where(inside, share_x * share_y, 0)[..., None]
            sampled += values
    out[line, :, j] = sampled
    return out
