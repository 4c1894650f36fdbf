"""Which lines are asked for their direction, and what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sdk.retry.look import Look

from sdk.detect.detector import FoundLine
from sdk.geometry import box_quads
from sdk.model.settings import DecodeSettings
from sdk.retry.direction import claim_of_turned, runs, witnesses
from tests import tiny
from tests.claims import claim

SETTINGS = DecodeSettings(flip_probability=0.9)


def look(text: str, confidence: float, turn: float = 0.0) -> Look:
    quad = box_quads((60, 24), 104, 32, turn)
    said = claim(tiny.CHARSET, text, confidence)
    return Look(FoundLine(quad, 0.8, 32.0, None), quad, quad, said)


def test_lines_of_one_direction_are_a_group() -> None:
    turns = [0.0, 0.2, math.pi, -0.1, math.pi / 2, -math.pi + 0.1]
    assert runs([look("ABC", 0.9, turn) for turn in turns]) == [[0, 1, 3], [2, 5], [4]]
    assert runs([]) == []


def test_sure_lines_are_not_asked() -> None:
    sure, unsure, short = look("ABCDE", 0.999), look("ABCDEFG", 0.8), look("AB", 0.5)
    assert witnesses([sure], SETTINGS) == []
    assert witnesses([short, short], SETTINGS) == []
    # a third of the lines is enough
    assert witnesses([sure, unsure, unsure, short], SETTINGS) == []
    assert witnesses([sure, unsure, unsure, unsure], SETTINGS) == [1, 2, 3]


def test_the_longest_are_asked_and_few() -> None:
    looks = [look("ABCDEFGH"[: 3 + i % 5], 0.7) for i in range(10)]
    asked = witnesses(looks, SETTINGS)
    assert len(asked) == SETTINGS.flip_witnesses == 3
    assert {len(looks[i].text.free.text) for i in asked} == {6, 7}


def test_bundles_that_trust_all_lines_ask_none() -> None:
    assert witnesses([look("ABCDEF", 0.6)], DecodeSettings()) == []


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.99])
def test_a_claim_is_bounded_and_symmetric(confidence: float) -> None:
    one, other = look("ABCDE", confidence), look("EDCBA", 0.95)
    said = claim_of_turned(one, other, SETTINGS)
    assert said == pytest.approx(-claim_of_turned(other, one, SETTINGS))
    assert np.sign(said) == np.sign(0.95 - confidence)
    assert claim_of_turned(look("ABC", 0.1), look("CBA", 0.999), SETTINGS) == SETTINGS.flip_most
    assert claim_of_turned(look("", 0.1), look("CBA", 0.999), SETTINGS) == SETTINGS.flip_most


def test_what_reads_badly_both_ways_says_nothing() -> None:
    assert claim_of_turned(look("ABCDEF", 0.3), look("FEDCBA", 0.5), SETTINGS) == 0.0
