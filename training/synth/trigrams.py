"""Trigrams of the generator's texts: the language model of `sdk.recognize.language`.

Each order is interpolated with the lower one by Witten and Bell's estimate (Chen and Goodman 1999,
"An empirical study of smoothing techniques for language modeling", section 2.4): after a context
that was seen n times with t different characters, the lower order has the weight t / (n + t).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from training.synth.text import sample_text

__all__ = ["log_trigrams", "usual_texts"]

_KINDS = (None, None, None, "plate", "plate", "code", "word", "word", "word", "words")
"""Kinds of texts: 40 % words, 30 % codes and plates; None is the usual mix of the generator."""
_CODES = ("plate", "code")
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def usual_texts(count: int, seed: int) -> Iterator[str]:
    """Yield texts as the generator writes them, with more words and codes.

    The generator's codes avoid I, O and Q, as most real codes do. The language model would choose
    the digits 1 and 0 in all others: here, each code has its letters replaced by others.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        kind = _KINDS[number % len(_KINDS)]
        text = sample_text(rng, kind)
        if kind in _CODES:
            others = "".join(rng.permutation(list(_CAPITALS)))
            text = text.translate(str.maketrans(_CAPITALS, others))
        yield text


def log_trigrams(texts: Iterable[str], symbols: str) -> NDArray[np.float64]:
    """Return log probabilities of characters after two others.

    Args:
        texts: Texts to count.
        symbols: The characters of the model; all others are one unknown character.

    Returns:
        float64 (n, n, n), see `sdk.recognize.language.LanguageModel`.
    """
    index = {c: i + 1 for i, c in enumerate(symbols)}
    size = len(symbols) + 2
    counts = np.zeros((size, size, size))
    for text in texts:
        places = [0, 0, *(index.get(c, size - 1) for c in text), 0]
        np.add.at(counts, (places[:-2], places[1:-1], places[2:]), 1)
    low = np.full(size, 1 / size)
    for table in (counts.sum((0, 1)), counts.sum(0), counts):
        seen, kinds = table.sum(-1, keepdims=True), (table > 0).sum(-1, keepdims=True)
        low = np.where(seen > 0, (table + kinds * low) / np.maximum(seen + kinds, 1), low)
    return np.log(low)
