"""The separable convolution nearest to a trained 3x3 convolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["separate"]

Floats = NDArray[np.float32]


def separate(kernel: Floats) -> tuple[Floats, Floats]:
    """Return the depthwise and the pointwise kernel that are nearest to a kernel.

    Each input channel is approximated with rank one, by its singular values, as in Guo et al. 2018,
    "Network Decoupling: From Regular to Depthwise Separable Convolutions", section 3.

    Args:
        kernel: (rows, columns, in, out).

    Returns:
        Kernels (rows, columns, in, 1) and (1, 1, in, out).
    """
    rows, columns, channels, filters = kernel.shape
    by_channel = kernel.transpose(2, 0, 1, 3).reshape(channels, rows * columns, filters)
    places, sizes, mixes = np.linalg.svd(by_channel, full_matrices=False)
    share = np.sqrt(sizes[:, :1])
    depthwise = (places[:, :, 0] * share).T.reshape(rows, columns, channels, 1)
    pointwise = (mixes[:, 0] * share).reshape(1, 1, channels, filters)
    return depthwise.astype(np.float32), pointwise.astype(np.float32)
