"""Probabilities of texts under several readings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sdk.recognize.ctc import log_probabilities, text_probability
from sdk.recognize.forward import text_probabilities

TEXTS = [(), (1,), (1, 1), (1, 2), (2, 2, 2), (3, 1, 2, 3, 3), (4,) * 9]


def readings(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [log_probabilities(rng.normal(0, 2, (n, 5))) for n in lengths]


def test_all_at_once_are_what_each_is() -> None:
    found = readings(12, 1, 30, 5, 0)
    table = text_probabilities(found, TEXTS)
    assert table.shape == (5, len(TEXTS))
    for row, log_probs in zip(table, found, strict=True):
        for p, ids in zip(row, TEXTS, strict=True):
            assert p == pytest.approx(math.exp(text_probability(log_probs, ids)), rel=1e-5)


def test_long_blanks_change_nothing() -> None:
    [log_probs] = readings(8)
    blank = log_probabilities(np.array([[12.0, 0, 0, 0, 0]]).repeat(40, 0))
    spread = np.concatenate([blank, log_probs[:3], blank[:2], log_probs[3:], blank])
    wanted = [math.exp(text_probability(spread, ids)) for ids in TEXTS]
    assert text_probabilities([spread], TEXTS)[0] == pytest.approx(wanted, rel=0.01, abs=1e-9)


def test_all_texts_together_are_sure() -> None:
    texts = [(), (1,), (2,), (1, 2), (2, 1), (1, 1), (1, 2, 1), (2, 1, 2), (2, 2)]
    [log_probs] = readings(3)
    few = log_probabilities(log_probs[:, :3])
    assert text_probabilities([few], texts).sum() == pytest.approx(1)


def test_classes_that_cannot_occur() -> None:
    mask = np.array([True, True, False, True, True])
    [log_probs] = readings(8)
    masked = log_probabilities(log_probs, mask)
    [row] = text_probabilities([masked], TEXTS)
    assert row[3] == 0 and row[1] > 0 and np.isfinite(row).all()
