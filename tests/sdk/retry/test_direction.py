"""Which lines are asked for their direction, and what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sdk.geometry import box_quads
from sdk.model.retry_policy import DirectionSettings
from sdk.retry.candidate import Candidate
from sdk.retry.direction import claim_of_turned, runs, witnesses
from tests import tiny
from tests.claims import claim

SETTINGS = DirectionSettings()


def read_as(text: str, confidence: float, turn: float = 0.0) -> Candidate:
    quad = box_quads((60, 24), 104, 32, turn)
    said = claim(tiny.CHARSET, text, confidence)
    return Candidate(0.8, quad, quad, said)


def test_lines_of_one_direction_are_a_group() -> None:
    turns = [0.0, 0.2, math.pi, -0.1, math.pi / 2, -math.pi + 0.1]
    assert runs([read_as("ABC", 0.9, turn) for turn in turns], SETTINGS) == [[0, 1, 3], [2, 5], [4]]
    assert runs([], SETTINGS) == []


def test_sure_lines_are_not_asked() -> None:
    sure, unsure, short = read_as("ABCDE", 0.999), read_as("ABCDEFG", 0.8), read_as("AB", 0.5)
    assert witnesses([sure], SETTINGS) == []
    assert witnesses([short, short], SETTINGS) == []
    # a third of the lines is enough
    assert witnesses([sure, unsure, unsure, short], SETTINGS) == []
    assert witnesses([sure, unsure, unsure, unsure], SETTINGS) == [1, 2, 3]


def test_the_longest_are_asked_and_few() -> None:
    candidates = [read_as("ABCDEFGH"[: 3 + i % 5], 0.7) for i in range(10)]
    asked = witnesses(candidates, SETTINGS)
    assert len(asked) == SETTINGS.witnesses == 3
    assert {len(candidates[i].text.free.text) for i in asked} == {6, 7}


def test_bundles_that_trust_all_lines_ask_none() -> None:
    assert witnesses([read_as("ABCDEF", 0.6)], DirectionSettings(probability=0.0)) == []


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.99])
def test_a_claim_is_bounded_and_symmetric(confidence: float) -> None:
    one, other = read_as("ABCDE", confidence), read_as("EDCBA", 0.95)
    said = claim_of_turned(one, other, SETTINGS)
    assert said == pytest.approx(-claim_of_turned(other, one, SETTINGS))
    assert np.sign(said) == np.sign(0.95 - confidence)
    assert claim_of_turned(read_as("ABC", 0.1), read_as("CBA", 0.999), SETTINGS) == SETTINGS.most
    assert claim_of_turned(read_as("", 0.1), read_as("CBA", 0.999), SETTINGS) == SETTINGS.most


def test_what_reads_badly_both_ways_says_nothing() -> None:
    assert claim_of_turned(read_as("ABCDEF", 0.3), read_as("FEDCBA", 0.5), SETTINGS) == 0.0
