"""Folding of batch normalization into the convolution before it, and the reverse.

A folded convolution determines the function of the network: without folding, runs with the same
function may divide a channel's scale differently between kernel, statistics and ``gamma``.
Normalized convolutions have no bias of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.models.batch_norm import BatchNormalization

__all__ = ["Folded", "convolution_before", "fold", "unfold"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Folded:
    """A convolution with its normalization folded in.

    Attributes:
        kernel: Kernel in the layout of its layer.
        bias: (channels,).
        mean: (channels,), mean of the convolution's output without bias.
        variance: (channels,), variance of the same output.
    """

    kernel: Floats
    bias: Floats
    mean: Floats
    variance: Floats


def convolution_before(norm: BatchNormalization) -> str:
    """Return the name of the convolution that a normalization follows."""
    return f"{norm.name.removesuffix('_bn')}_conv"


def fold(conv: Any, norm: BatchNormalization) -> Folded:
    """Return a convolution with the normalization after it folded in, as in inference."""
    gamma, beta = _values(norm.gamma), _values(norm.beta)
    variance = _values(norm.moving_variance)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    mean = _values(norm.moving_mean) * scale
    # (rows, columns, in, out); (rows, columns, channels, 1) of a depthwise convolution
    depthwise = isinstance(conv, keras.layers.DepthwiseConv2D)
    kernel = _values(conv.kernel) * (scale[:, None] if depthwise else scale)
    return Folded(kernel, beta - mean, mean, variance * scale**2)


def unfold(folded: Folded, conv: Any, norm: BatchNormalization) -> None:
    """Set a convolution and its normalization to the function of a folded convolution."""
    conv.kernel.assign(folded.kernel.astype(np.float32))
    for variable, value in (
        (norm.moving_mean, folded.mean),
        (norm.moving_variance, folded.variance),
        (norm.gamma, np.sqrt(folded.variance + norm.epsilon)),
        (norm.beta, folded.bias + folded.mean),
    ):
        variable.assign(value.astype(np.float32))


def _values(variable: Any) -> Floats:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float64)
