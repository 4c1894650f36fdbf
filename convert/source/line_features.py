"""The features of lines: input of the recognizer."""

from __future__ import annotations

import numpy as np

from sdk.detect.maps import STRIDE
from sdk.recognize.features import FEATURE_ROWS
from sdk.recognize.roi_rotate import roi_affine, roi_rotate

__all__ = ["line_features"]


def line_features(
    features: np.ndarray, quads: np.ndarray, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of a photo's lines, the input of the recognizer.

    Args:
        features: float32 (H / 4, W / 4, channels).
        quads: float32 (n, 4, 2) in pixels of the frame.
        columns: Columns of the result; the end of longer lines is dropped, because their scale must
            not change.

    Returns:
        Features float32 (n, 8, columns, channels), and the number of columns in use, int32 (n,).
    """
    affines, widths = roi_affine(np.asarray(quads) / STRIDE, FEATURE_ROWS, 1 << 14)
    widths = np.minimum(widths, columns)
    return roi_rotate(features, affines, widths, FEATURE_ROWS, columns), widths
