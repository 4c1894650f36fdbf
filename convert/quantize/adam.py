"""Adam with a learning rate in steps of the quantization grid.

Folded weights differ by orders of magnitude between channels, and one learning rate for all
channels would destroy small weights before it changes large ones. The relevant distance is the
distance on the grid to which a weight is rounded, so each output channel has its own unit: its
greatest weight divided by 127.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["GridAdam"]

_LEVELS = 127.0
_MOMENTA = (0.9, 0.999)
_EPSILON = 1e-12


class GridAdam:
    """Adam (Kingma & Ba 2015, algorithm 1) with a unit for each output channel.

    Attributes:
        state: Variables of the optimizer: the first moments, then the second moments.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        """Create the optimizer; the present values of kernels and biases determine the units."""
        self._variables = list(variables)
        self._units = [_unit(v.numpy(), "depthwise" in v.name) for v in self._variables]
        self.state = [tf.Variable(tf.zeros_like(v)) for _ in _MOMENTA for v in self._variables]

    def apply(self, gradients: Sequence[Any], rate: Any, step: Any) -> None:
        """Update the variables.

        Args:
            gradients: Gradient of each variable.
            rate: Learning rate in grid steps.
            step: Number of this step, from 1, float32.
        """
        count = len(self._variables)
        corrections = [1 - tf.pow(momentum, step) for momentum in _MOMENTA]
        for i, gradient in enumerate(gradients):
            first, second = self.state[i], self.state[count + i]
            first.assign(_MOMENTA[0] * first + (1 - _MOMENTA[0]) * gradient)
            second.assign(_MOMENTA[1] * second + (1 - _MOMENTA[1]) * tf.square(gradient))
            root = tf.sqrt(second / corrections[1])
            move = first / corrections[0] / (root + _EPSILON)
            self._variables[i].assign_sub(rate * self._units[i] * move)


def _unit(values: np.ndarray, depthwise: bool) -> np.ndarray:
    """Return the grid step of each output channel; for a bias, one for all channels."""
    # a depthwise kernel is (rows, columns, in, multiplier): the last two axes are its channels
    axes = {1: (0,), 4: (0, 1) if depthwise else (0, 1, 2)}[values.ndim]
    most = np.abs(values).max(axes, keepdims=True)
    return np.maximum(most, 1e-6).astype(np.float32) / _LEVELS
