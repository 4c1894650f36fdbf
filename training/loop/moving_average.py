"""Exponential moving average of all weights, including the statistics of batch normalization.

The optimizer's own moving average would leave these statistics out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy

__all__ = ["MovingAverage"]


class MovingAverage:
    """Moving average of a model's weights.

    Attributes:
        values: float32 arrays in the order of the model's weights.
    """

    EVERY = 5

    def __init__(self, values: Sequence[np.ndarray], momentum: float) -> None:
        """Start with the present weights.

        Args:
            values: Weights of the model.
            momentum: Momentum of one step; smaller in the first steps, which forget the random
                initialization. 1 for the mean of the weights of all steps and the present ones
                (Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima").
        """
        self.values = [np.array(v, np.float32) for v in values]
        self._momentum = momentum

    def update(self, step: int, variables: Sequence[Any]) -> None:
        """Add the weights after step number ``step``; only every fifth step is used."""
        if step % self.EVERY:
            return
        if self._momentum == 1:
            updates = step // self.EVERY
            momentum = updates / (updates + 1)
        else:
            momentum = min(self._momentum, (1 + step) / (10 + step)) ** self.EVERY
        for value, variable in zip(self.values, variables, strict=True):
            value += np.float32(1 - momentum) * (convert_to_numpy(variable) - value)
