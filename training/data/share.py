"""`Share`: the rows of a batch that one of several processes makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["WHOLE", "Share", "row_generator"]


@dataclass(frozen=True)
class Share:
    """A process's part of each batch.

    Attributes:
        rank: Number of the process, 0 to world - 1.
        world: Number of processes.
    """

    rank: int = 0
    world: int = 1

    def rows(self, count: int) -> range:
        """Return the rows of a batch of ``count`` rows, which ``world`` divides."""
        size = count // self.world
        return range(self.rank * size, (self.rank + 1) * size)

    def owns(self, sample: int) -> bool:
        """Tell whether this process keeps a sample, if the data are divided."""
        return sample % self.world == self.rank


WHOLE = Share()
"""The share of a process that trains alone."""


def row_generator(seed: int, step: int, row: int) -> np.random.Generator:
    """Return the random generator of a row, the same whichever process makes the row."""
    # NumPy takes (seed, step, 0) for (seed, step), which draws what all rows share
    return np.random.default_rng((seed, step, 1 + row))
