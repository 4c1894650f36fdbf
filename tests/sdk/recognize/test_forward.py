"""Probabilities of texts under readings, against all paths, enumerated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.recognize.ctc import log_probabilities
from sdk.recognize.forward import text_log_probabilities
from tests.sdk.recognize.paths import all_texts, random_log_probs

TEXTS = [(), (1,), (1, 1), (1, 2), (2, 2, 2), (3, 1, 2, 3, 3), (4,) * 9]


def readings(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [log_probabilities(rng.normal(0, 2, (n, 5))) for n in lengths]


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(0, 2**16), st.integers(1, 6), st.just(4)))
def test_probability_of_a_text_is_the_sum_of_its_paths(shape: tuple[int, int, int]) -> None:
    log_probs = random_log_probs(*shape)
    wanted = all_texts(log_probs)
    [found] = np.exp(text_log_probabilities([log_probs], list(wanted)))
    assert found == pytest.approx(list(wanted.values()), rel=1e-6, abs=1e-7)


def test_all_at_once_are_what_each_is() -> None:
    found = readings(12, 1, 30, 5, 0)
    table = text_log_probabilities(found, TEXTS)
    assert table.shape == (5, len(TEXTS))
    for row, log_probs in zip(table, found, strict=True):
        for p, ids in zip(row, TEXTS, strict=True):
            assert p == pytest.approx(text_log_probabilities([log_probs], [ids])[0, 0])


def test_texts_that_do_not_fit_are_impossible() -> None:
    log_probs = random_log_probs(0, 2, 3)
    assert text_log_probabilities([log_probs], [(1, 1)])[0, 0] == -math.inf
    assert text_log_probabilities([log_probs[:0]], [(1,), ()])[0].tolist() == [-math.inf, 0]


def test_long_lines_do_not_underflow() -> None:
    # each of 300 characters as improbable as float32 logarithms can say
    log_probs = np.full((600, 3), -100.0, np.float32)
    log_probs[::2, 0] = 0.0  # a sure blank before each
    ids = (1, 2) * 150
    [[p]] = text_log_probabilities([log_probs], [ids])
    assert p == pytest.approx(-100 * 300, rel=1e-3)


def test_long_blanks_change_nothing() -> None:
    [log_probs] = readings(8)
    blank = log_probabilities(np.array([[12.0, 0, 0, 0, 0]]).repeat(40, 0))
    spread = np.concatenate([blank, log_probs[:3], blank[:2], log_probs[3:], blank])
    apart = [np.concatenate([blank[:1], log_probs[:3], blank[:1], log_probs[3:], blank[:1]])]
    found, wanted = text_log_probabilities([spread, *apart], TEXTS)
    assert np.exp(found) == pytest.approx(np.exp(wanted), rel=0.01, abs=1e-9)


def test_all_texts_together_are_sure() -> None:
    texts = [(), (1,), (2,), (1, 2), (2, 1), (1, 1), (1, 2, 1), (2, 1, 2), (2, 2)]
    [log_probs] = readings(3)
    few = log_probabilities(log_probs[:, :3])
    assert np.exp(text_log_probabilities([few], texts)).sum() == pytest.approx(1)


def test_classes_that_cannot_occur() -> None:
    mask = np.array([True, True, False, True, True])
    [log_probs] = readings(8)
    masked = log_probabilities(log_probs, mask)
    [row] = np.exp(text_log_probabilities([masked], TEXTS))
    assert row[3] == 0 and row[1] > 0 and np.isfinite(row).all()
