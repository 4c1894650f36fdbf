"""A character language model: how usual a text is, whatever a picture shows.

Trigrams of codes, dates, prices and words, see ``python -m training language``. The network sees
one line at a time and confuses similar characters ("Totai", "C@NTACT"); of several readings of a
line, the vote prefers the usual one, see `sdk.retry.vote`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["LanguageModel", "default_language"]

_STEPS = 2
"""Steps of a stored log probability in a nat."""


class LanguageModel:
    """Probabilities of each character after the two characters before it."""

    def __init__(self, symbols: str, costs: NDArray[np.uint8]) -> None:
        """Take the table of a model.

        Args:
            symbols: The characters of the model. Each other character counts as one and the same
                unknown character.
            costs: uint8 (n, n, n), n = len(symbols) + 2: negative log probability, in 2 steps a
                nat, of the last index after the other two. Index 0 is the end (before a text: its
                start), symbol i is index i + 1, the last index is the unknown character.
        """
        self._index = {c: i + 1 for i, c in enumerate(symbols)}
        self._unknown = len(symbols) + 1
        self._costs = costs

    @classmethod
    def load(cls, path: Path) -> LanguageModel:
        """Return the model of a file that `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(str(arrays["symbols"]), arrays["costs"])

    @staticmethod
    def save(path: Path, symbols: str, log_probs: NDArray[np.float64]) -> None:
        """Write a model; arguments as in the constructor, with natural log probabilities."""
        costs = np.clip(np.round(-_STEPS * log_probs), 0, 255).astype(np.uint8)
        np.savez_compressed(path, symbols=np.array(symbols), costs=costs)

    def log_probability(self, text: str) -> float:
        """Return the natural logarithm of a text's probability, its end included."""
        places = [0, 0, *(self._index.get(c, self._unknown) for c in text), 0]
        triples = zip(places, places[1:], places[2:], strict=False)
        return -sum(int(self._costs[triple]) for triple in triples) / _STEPS


@lru_cache(maxsize=1)
def default_language() -> LanguageModel:
    """Return the packaged model, loaded once."""
    return LanguageModel.load(Path(__file__).with_name("trigrams.npz"))
