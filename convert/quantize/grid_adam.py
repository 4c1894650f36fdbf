"""Adam whose steps are counted in steps of the quantization grid.

Folded weights differ by orders of magnitude between channels; one learning rate for all of them
breaks the small ones before it moves the large ones. What matters is how far a weight moves on the
grid it will be rounded to, so each output channel has its own unit: its greatest weight over 127.
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
        state: Its variables: the first moments, then the second ones.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        """Take the kernels and biases to optimize; their values now give the units."""
        self._variables = list(variables)
        self._units = [_unit(v.numpy(), "depthwise" in v.name) for v in self._variables]
        self.state = [tf.Variable(tf.zeros_like(v)) for _ in _MOMENTA for v in self._variables]

    def apply(self, gradients: Sequence[Any], rate: Any, step: Any) -> None:
        """Move the variables.

        Args:
            gradients: One for each variable.
            rate: Most grid steps that a weight moves, about.
            step: Number of this step, from 1 on, float32.
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
    """Return the grid step of each output channel; for a bias, of all channels."""
    # a depthwise kernel is (rows, columns, in, multiplier): its channels are the last two
    axes = {1: (0,), 4: (0, 1) if depthwise else (0, 1, 2)}[values.ndim]
    most = np.abs(values).max(axes, keepdims=True)
    return np.maximum(most, 1e-6).astype(np.float32) / _LEVELS
