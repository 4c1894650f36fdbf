"""The features of lines as the recognizer gets them."""

from __future__ import annotations

import numpy as np

from sdk.detect.maps import STRIDE
from sdk.recognize.features import FEATURE_ROWS
from sdk.recognize.roi_rotate import roi_affine, roi_rotate

__all__ = ["feature_strips"]


def feature_strips(
    features: np.ndarray, quads: np.ndarray, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines of a photo as the recognizer gets them.

    Args:
        features: float32 (H / 4, W / 4, channels).
        quads: float32 (n, 4, 2) in pixels of the frame.
        columns: Columns of the strips; longer lines lose their end, as their scale must not change.

    Returns:
        Strips float32 (n, 8, columns, channels) and the columns taken, int32 (n,).
    """
    affines, widths = roi_affine(np.asarray(quads) / STRIDE, FEATURE_ROWS, 1 << 14)
    widths = np.minimum(widths, columns)
    return roi_rotate(features, affines, widths, FEATURE_ROWS, columns), widths
