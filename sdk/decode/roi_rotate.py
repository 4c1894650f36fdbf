"""RoIRotate: rotated text lines cut out of a feature map as upright feature strips.

Liu et al. 2018, "FOTS: Fast Oriented Text Spotting with a Unified Network", section 3.3, equations
1 and 2, with the affine map written from output cells to map positions. Sampling is bilinear, zero
outside the map, and does all lines at once. This is the reference that the Keras layer of the
training code equals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.geometry import side_lengths

Floats = NDArray[np.float32]

__all__ = ["roi_affine", "roi_rotate"]


def roi_affine(quads: ArrayLike, height: int, max_width: int) -> tuple[Floats, NDArray[np.int32]]:
    """Return the maps from output cells to feature-map positions and the output widths.

    Output cell (i, j) samples p0 + (p1 - p0) * (j + 0.5) / w + (p3 - p0) * (i + 0.5) / height.

    Args:
        quads: (n, 4, 2) in feature-map coordinates, that is input pixels / stride.
        height: Output rows.
        max_width: Most output columns; longer lines are squeezed into them.

    Returns:
        affines float32 (n, 2, 3): maps (j, i, 1) to (x, y) map indices, the half cell to index
        positions taken off; widths int32 (n,): w = clip(round(height * |p1 - p0| / |p3 - p0|), 1,
        max_width), side lengths being means of opposite sides.
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
    features: Floats, affines: Floats, widths: NDArray[np.int32], height: int, width: int
) -> Floats:
    """Return the feature strips of all lines.

    Args:
        features: float32 (H, W, C) feature map.
        affines: float32 (n, 2, 3) from `roi_affine`.
        widths: int32 (n,) valid columns of each line.
        height: Output rows, as given to `roi_affine`.
        width: Output columns; columns from a line's own width on are zero.

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

    # one cell of zeros around the map stands for all that is outside
    padded = np.zeros((rows + 2, columns + 2, channels), np.float32)
    padded[1:-1, 1:-1] = features
    flat = padded.reshape(-1, channels)
    left, right = (np.clip(x0 + d, 0, columns + 1).astype(np.intp) for d in (1, 2))
    top, bottom = (np.clip(y0 + d, 0, rows + 1).astype(np.intp) * (columns + 2) for d in (1, 2))
    sampled = flat[top + left] * ((1 - fx) * (1 - fy))[..., None]
    sampled += flat[top + right] * (fx * (1 - fy))[..., None]
    sampled += flat[bottom + left] * ((1 - fx) * fy)[..., None]
    sampled += flat[bottom + right] * (fx * fy)[..., None]
    out[line, :, j] = sampled
    return out
