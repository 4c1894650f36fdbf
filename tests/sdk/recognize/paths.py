"""All paths of a few columns, enumerated: what CTC is by definition."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np

from sdk.recognize.ctc import log_probabilities


def random_log_probs(seed: int, columns: int, classes: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(scale=2, size=(columns, classes))
    return log_probabilities(logits)


def collapse_by_definition(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(c for c, _ in itertools.groupby(path) if c != 0)


def all_texts(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Probability of every text: the sum over the paths that collapse to it."""
    columns, classes = log_probs.shape
    texts: dict[tuple[int, ...], float] = defaultdict(float)
    for path in itertools.product(range(classes), repeat=columns):
        p = math.exp(sum(log_probs[t, c] for t, c in enumerate(path)))
        texts[collapse_by_definition(path)] += p
    return texts
