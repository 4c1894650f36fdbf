"""Batch normalization folded into the convolution before it, and taken out again.

Folded, a convolution is what it computes: without, runs that compute the same may differ in how
they share a channel's scale between kernel, averages and ``gamma``. Convolutions that are
normalized have no bias of their own.
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
    """A convolution that normalizes its output by itself.

    Attributes:
        kernel: In the layout of its layer.
        bias: (channels,).
        mean: Average of what the kernel gives, without bias, by channel.
        variance: Its variance.
    """

    kernel: Floats
    bias: Floats
    mean: Floats
    variance: Floats


def convolution_before(norm: BatchNormalization) -> str:
    """Return the name of the convolution that a normalization follows."""
    return f"{norm.name.removesuffix('_bn')}_conv"


def fold(conv: Any, norm: BatchNormalization) -> Folded:
    """Return what a convolution and the normalization after it compute outside training."""
    gamma, beta = _values(norm.gamma), _values(norm.beta)
    variance = _values(norm.moving_variance)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    mean = _values(norm.moving_mean) * scale
    # (rows, columns, in, out), but of a depthwise one (rows, columns, channels, 1)
    depthwise = isinstance(conv, keras.layers.DepthwiseConv2D)
    kernel = _values(conv.kernel) * (scale[:, None] if depthwise else scale)
    return Folded(kernel, beta - mean, mean, variance * scale**2)


def unfold(folded: Folded, conv: Any, norm: BatchNormalization) -> None:
    """Set a convolution and its normalization to compute what a folded one does."""
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
