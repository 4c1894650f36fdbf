"""Measures of the networks: lines read exactly, character errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sdk.charset import Charset
from sdk.decode import ctc

__all__ = ["edit_distance", "normalized", "read_strips", "score_lines"]


def normalized(text: str) -> str:
    """Return letters and digits only, upper-cased: how readings are compared across engines."""
    return "".join(c for c in text.upper() if c.isalnum())


def edit_distance(a: str, b: str) -> int:
    """Return the Levenshtein distance of two texts."""
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, cb in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (ca != cb))
    return row[-1]


def read_strips(
    model: Any, strips: np.ndarray, columns: np.ndarray, charset: Charset, batch: int = 64
) -> list[str]:
    """Return the texts of strips, decoded greedily.

    Args:
        model: The line network.
        strips: uint8 (N, 32, W, 3).
        columns: int (N,), valid logit columns.
        charset: Characters of the classes.
        batch: Strips at a time.
    """
    texts = []
    for start in range(0, len(strips), batch):
        logits = np.asarray(model.predict_on_batch(strips[start : start + batch]))[:, 0]
        texts += [
            ctc.decode(line[:width], charset).text
            for line, width in zip(logits, columns[start : start + batch], strict=True)
        ]
    return texts


def score_lines(want: Sequence[str], got: Sequence[str]) -> dict[str, float]:
    """Return how well lines were read.

    Returns:
        ``exact``: share of lines read character by character; ``exact_norm``: the same with
        letters and digits only, upper-cased; ``cer_norm``: edits by label characters, likewise.
    """
    pairs = [(normalized(a), normalized(b)) for a, b in zip(want, got, strict=True)]
    edits = sum(edit_distance(a, b) for a, b in pairs)
    count = max(1, len(want))
    return {
        "lines": float(len(want)),
        "exact": sum(a == b for a, b in zip(want, got, strict=True)) / count,
        "exact_norm": sum(a == b for a, b in pairs) / count,
        "cer_norm": edits / max(1, sum(len(a) for a, _ in pairs)),
    }
