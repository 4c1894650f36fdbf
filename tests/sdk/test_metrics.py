"""Measures on strings and quads."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.geometry import box_quads
from sdk.metrics import (
    Score,
    character_error_rate,
    detection,
    edit_distance,
    end_to_end,
    exact_share,
    letters_and_digits,
    match_quads,
)

words = st.text(alphabet="ab", max_size=6)


@settings(max_examples=60, deadline=None)
@given(words, words)
def test_edit_distance_is_its_definition(a: str, b: str) -> None:
    @lru_cache(None)
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (a[i - 1] != b[j - 1]),
        )

    assert edit_distance(a, b) == distance(len(a), len(b))


def test_rates() -> None:
    pairs = [("LOT 12", "LOT 12"), ("ABC", "ABD"), ("X", "")]
    assert character_error_rate(pairs) == pytest.approx(2 / 10)
    assert exact_share(pairs) == pytest.approx(1 / 3)
    assert character_error_rate([("", "ab")]) == 0
    assert exact_share([]) == 0
    assert letters_and_digits("Exp. 12-03/x") == "EXP1203X"


def test_scores_add_up() -> None:
    total = Score(1, 2, 4) + Score(2, 2, 2)
    assert total == Score(3, 4, 6)
    assert (total.precision, total.recall, total.hmean) == (0.75, 0.5, 0.6)
    assert (Score().precision, Score().recall, Score().hmean) == (0, 0, 0)


A, B, C = (box_quads((x, 50), 80, 20, 0) for x in (50, 200, 400))


def near(quad: np.ndarray, by: float = 4) -> np.ndarray:
    return np.asarray(quad + by, np.float32)


def test_each_quad_matches_once_and_best_first() -> None:
    pairs, dropped = match_quads([near(A, 2), A, near(C)], [A, B, C])
    assert pairs == [(1, 0), (2, 2)]
    assert dropped == []
    assert detection([near(A, 2), A, near(C)], [A, B, C]) == Score(2, 3, 3)


def test_ignored_regions_count_neither_way() -> None:
    half = box_quads((180, 50), 30, 10, 0)  # a fragment of B
    assert detection([A, half], [A, B], [False, True]) == Score(1, 1, 1)
    assert detection([A, half], [A, B]) == Score(1, 2, 2)
    assert detection([B], [A, B], [False, True]) == Score(0, 0, 1)


def test_end_to_end_needs_the_text_too() -> None:
    found, texts = [near(A), near(B), C], ["lot 1", "wrong", "ABC"]
    wanted, true = [A, B, C], ["LOT-1", "right", "ABC"]
    assert end_to_end(found, texts, wanted, true) == Score(2, 3, 3)
    assert end_to_end(found, texts, wanted, true, normalize=str) == Score(1, 3, 3)
    assert end_to_end(found, texts, wanted, true, [False, True, False]) == Score(2, 2, 2)


def test_a_wrong_text_does_not_take_the_place_of_a_right_one() -> None:
    assert end_to_end([A, near(A)], ["x", "ABC"], [A], ["ABC"]) == Score(1, 2, 1)


def test_nothing_found_or_wanted() -> None:
    assert detection([], [A]) == Score(0, 0, 1)
    assert detection([A], []) == Score(0, 1, 0)
    assert end_to_end([], [], [], []) == Score()
