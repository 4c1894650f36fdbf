"""Exponential moving average of all weights, batch normalization statistics included.

Kept beside the model instead of in the optimizer, whose average leaves out the statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy

__all__ = ["Average"]


class Average:
    """Average of a model's weights over the last steps.

    Attributes:
        values: float32 arrays in the order of the model's weights.
    """

    EVERY = 5

    def __init__(self, values: Sequence[np.ndarray], momentum: float) -> None:
        """Start at some weights.

        Args:
            values: Weights of the model.
            momentum: Per step; smaller at first, so that the random start is forgotten.
        """
        self.values = [np.array(v, np.float32) for v in values]
        self._momentum = momentum

    def update(self, step: int, variables: Sequence[Any]) -> None:
        """Take in the weights after step number ``step``; does so at every fifth only."""
        if step % self.EVERY:
            return
        momentum = min(self._momentum, (1 + step) / (10 + step)) ** self.EVERY
        for value, variable in zip(self.values, variables, strict=True):
            value += np.float32(1 - momentum) * (convert_to_numpy(variable) - value)
