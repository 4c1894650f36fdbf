"""Voting character by character over readings of one line."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.live import vote_line
from sdk.results import TextLine
from tests.readings import line


def vote(*readings: tuple[str, float]) -> TextLine:
    return vote_line([line(text, confidence=sure) for text, sure in readings]).line


def test_one_reading_is_the_vote() -> None:
    only = line("LOT 42", confidence=0.7)
    voted = vote_line([only])
    assert voted.line.text == "LOT 42"
    assert voted.line.confidence == pytest.approx(0.7)
    assert voted.line.chars == only.chars
    assert voted.support == 1


def test_agreeing_readings() -> None:
    voted = vote_line([line("EXP 2027", confidence=sure) for sure in (0.6, 0.7, 0.8)])
    assert voted.line.text == "EXP 2027"
    assert voted.support == 3
    assert [char.confidence for char in voted.line.chars] == pytest.approx([0.7] * 8)


@pytest.mark.parametrize(
    "readings",
    [
        ["EXP 2027", "EXP 2O27", "EXP 2027"],  # a wrong character
        ["EXP 2027", "EXP 207", "EXP 2027"],  # one too few
        ["EXP 2027", "EXXP 2027", "EXP 2027"],  # one too many
        ["EXP 207", "EXXP 2027", "EXP 2O27"],  # each wrong in its own way
        ["XP 2027", "EXP 202", "EEXP 2027"],
        ["EXP 2027", "", "EXP 2027"],
    ],
)
def test_the_majority_wins_everywhere_in_the_line(readings: list[str]) -> None:
    for order in (readings, readings[::-1]):
        voted = vote_line([line(text) for text in order])
        assert voted.line.text == "EXP 2027"
        assert voted.support == 2


def test_a_sure_reading_outweighs_two_doubtful_ones() -> None:
    assert vote(("8", 0.3), ("B", 0.9), ("8", 0.3)).text == "B"
    assert vote(("8", 0.5), ("B", 0.9), ("8", 0.5)).text == "8"


def test_disagreement_lowers_the_confidence() -> None:
    voted = vote(("A1", 0.9), ("A1", 0.9), ("A7", 0.6))
    assert voted.chars[0].confidence == pytest.approx(0.8)
    assert voted.chars[1].confidence == pytest.approx(0.9 * 1.8 / 2.4)
    assert voted.confidence == pytest.approx((0.8 * 0.675) ** 0.5)


def test_a_voted_line_is_as_probable_as_its_readings_on_average() -> None:
    first, second, other = (
        replace(line(text), probability=p) for text, p in (("A1", 0.5), ("A1", 0.9), ("A7", 0.8))
    )
    assert vote_line([first]).line.probability == 0.5
    assert vote_line([first, second]).line.probability == pytest.approx(0.7)
    assert vote_line([first, second, other]).line.probability == pytest.approx(1.4 / 3)


def test_a_text_that_no_reading_has_is_as_probable_as_all_its_characters() -> None:
    readings = [replace(line(x), probability=0.1) for x in ("EXP 207", "EXXP 2027", "EXP 2O27")]
    voted = vote_line(readings).line
    assert voted.text == "EXP 2027"
    assert voted.probability == pytest.approx(math.prod(c.confidence for c in voted.chars))


def test_places_are_those_of_the_newest_reading() -> None:
    old, new = line("ABC", x=0, confidence=0.99), line("ABC", x=300, confidence=0.5)
    voted = vote_line([old, new]).line
    assert voted.quad == new.quad
    assert [char.quad for char in voted.chars] == [char.quad for char in new.chars]
    outvoted = vote_line([old, old, line("AC", x=300)]).line
    assert outvoted.text == "ABC"
    assert outvoted.chars[1].quad is None  # it was not seen there


def test_lines_without_characters() -> None:
    bare = TextLine("AB", 0.8, line("AB").quad)
    voted = vote_line([bare, bare]).line
    assert voted.text == "AB"
    assert voted.confidence == pytest.approx(0.8)


def test_nothing_read_by_most_is_nothing() -> None:
    voted = vote(("", 0.9), ("I", 0.5), ("", 0.9))
    assert (voted.text, voted.confidence, voted.chars) == ("", 0.0, ())


def test_a_pattern_holds_for_a_text_that_was_read() -> None:
    fits = replace(line("AB12"), pattern_ok=True, raw_text="A812")
    unfit = replace(line("ABI2"), pattern_ok=False, raw_text="ABI2")
    voted = vote_line([fits, fits, unfit]).line
    assert (voted.text, voted.pattern_ok, voted.raw_text) == ("AB12", True, "A812")
    nowhere = vote_line([replace(fits, text=t, chars=line(t).chars) for t in ("XBC", "AYC", "ABZ")])
    assert (nowhere.line.text, nowhere.line.pattern_ok) == ("ABC", False)
    assert vote_line([line("XBC"), line("AYC"), line("ABZ")]).line.pattern_ok is None


words = st.text("ABC01 ", max_size=12)


@given(word=words, count=st.integers(1, 5))
def test_the_same_is_the_same(word: str, count: int) -> None:
    voted = vote_line([line(word)] * count)
    assert (voted.line.text, voted.support) == (word, count)


@given(first=words, second=words)
def test_two_against_one_always_win(first: str, second: str) -> None:
    voted = vote_line([line(first), line(second), line(first)])
    assert voted.line.text == first
    assert voted.support >= 2


def test_noise_is_voted_away() -> None:
    """Every reading is wrong somewhere; five of them are right together."""
    source = random.Random(7)
    wanted = "LOT 26A417 EXP 2027-08-31"
    right = 0
    for _ in range(50):
        readings = []
        for _ in range(5):
            text = list(wanted)
            at = source.randrange(len(text))
            change = source.choice(("replace", "drop", "double"))
            if change == "replace":
                text[at] = "#"
            elif change == "drop":
                del text[at]
            else:
                text.insert(at, text[at])
            readings.append(line("".join(text)))
        assert all(reading.text != wanted for reading in readings)
        right += vote_line(readings).line.text == wanted
    assert right >= 48
