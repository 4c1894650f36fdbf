"""Counts of readings, the bound of the confidence, and the verdict of the report."""

from __future__ import annotations

import numpy as np
import pytest

from training.specialize.judge import Judged, Tally, accept_bound, tally
from training.specialize.report import PATTERN, verdicts

IMAGE = np.zeros((32, 64, 3), np.uint8)


def judged(wanted: str, read: str, confidence: float, *, fits: bool = True) -> Judged:
    return Judged(IMAGE, wanted, read, confidence, fits)


READINGS = [
    judged("A1", "A1", 0.99),
    judged("A2", "A7", 0.96),
    judged("A3", "A3", 0.4),
    judged("A4", "B44", 0.999, fits=False),
]


def test_the_bound_is_above_every_wrong_reading_that_fits() -> None:
    assert accept_bound(READINGS) == 0.97
    assert accept_bound(READINGS[:1]) == 0.5
    assert accept_bound([judged("A", "B", 1.0)]) == 1.0


def test_strings_characters_and_false_accepts_are_counted() -> None:
    counts = tally(READINGS, 0.95)
    assert (counts.lines, counts.right, counts.accepted, counts.false_accepts) == (4, 2, 2, 1)
    assert counts.characters == pytest.approx(1 - 3 / 8)
    assert counts.low < 0.5 < counts.high
    assert tally(READINGS, accept_bound(READINGS)).false_accepts == 0


def counted(right: int) -> Tally:
    return Tally(10, right, 0.0, 1.0, 0.9, 0.5, 5, 0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [(8, 9, "1 more"), (9, 7, "2 fewer: keep the default"), (9, 9, "gained nothing")],
)
def test_the_report_says_whether_the_reader_is_worth_it(old: int, new: int, said: str) -> None:
    tallies = [
        (("photos", who, how), counted(right))
        for how in ("freely", PATTERN)
        for who, right in (("default", old), ("mine", new))
    ]
    [sentence] = verdicts(tallies, "mine")
    assert said in sentence
    assert f"mine reads {new} right, default {old}" in sentence
