"""Letters where digits are likelier: what is weighed, and what never is."""

from __future__ import annotations

import numpy as np
import pytest

from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.recognize.ctc import CtcText, log_probabilities, most_probable
from sdk.recognize.priors import favor_digits
from tests.claims import claim, read_columns

Column = dict[str, float]
O: Column = {"O": 0.8, "0": 0.15}  # noqa: E741 the letter it is


def favored(odds: float, *columns: Column) -> tuple[np.ndarray, CtcText]:
    read = read_columns(DEFAULT_CHARSET, *columns)
    assert read.log_probs is not None
    return favor_digits(read.log_probs, read.free, DEFAULT_CHARSET, odds)


def word(text: str) -> list[Column]:
    return [column for character in text for column in ({character: 0.9}, {})]


def test_a_zero_that_leads_a_number_is_no_letter() -> None:
    columns = [*word("R"), O, {}, *word("37")]
    assert favored(1, *columns)[1].text == "RO37"
    log_probs, text = favored(10, *columns)
    assert text.text == "R037"
    # Bayes: 0.15 * 10 beside 0.8 and the 0.05 of the blank
    assert text.confidences[1] == pytest.approx(1.5 / 2.35, rel=1e-3)
    assert text.confidences[0] == pytest.approx(0.9, rel=1e-3)
    assert text.spans[1] == (2, 3)
    np.testing.assert_allclose(np.exp(log_probs).sum(1), 1, rtol=1e-4)


def test_a_letter_that_is_surely_seen_stays_and_is_less_sure() -> None:
    columns = [*word("R"), {"O": 0.95, "0": 0.01}, {}, *word("37")]
    text = favored(10, *columns)[1]
    assert text.text == "RO37"
    assert text.confidences[1] == pytest.approx(0.95 / 1.09, rel=1e-3)


def test_several_at_once() -> None:
    seen = {"S": 0.6, "5": 0.3}
    columns = [*word("B"), O, {}, O, {}, *word("3-5"), seen, {}, *word("7")]
    assert favored(10, *columns)[1].text == "B003-557"


def test_a_digit_that_would_melt_into_the_next_one_is_not_taken() -> None:
    # without a blank between, the second zero would be the first one going on
    columns = [*word("R"), O, {"0": 0.9}, {}, *word("7")]
    assert favored(10, *columns)[1].text == "RO07"


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("LOT RO3718-M2", "O"),
        ("RCO01:23", "O"),
        ("2O27", "O"),
        ("73I1", "I"),
        ("4l9", "l"),
        ("519S37", "S"),
        ("1Z3", "Z"),
        ("SHOO1", "OO"),
        ("XCO2", "O"),
        ("CO2", ""),
        ("ISO9001", ""),
        ("LOT NO15", ""),
        ("16OZ", ""),
        ("SHOP 24", ""),
        ("Foto7", ""),
        ("A5S", ""),
        ("O5", ""),
        ("", ""),
    ],
)
def test_which_letters_are_doubtful(text: str, doubtful: str) -> None:
    read = claim(DEFAULT_CHARSET, text, 0.9)
    assert read.log_probs is not None
    log_probs, found = favor_digits(read.log_probs, read.free, DEFAULT_CHARSET, 10)
    less_sure = [
        character
        for character, new, old in zip(text, found.confidences, read.free.confidences, strict=True)
        if new < old - 1e-6
    ]
    assert "".join(less_sure) == doubtful
    assert (log_probs is read.log_probs) == (not doubtful)


def test_characters_that_are_not_allowed_stay_so() -> None:
    mask = DEFAULT_CHARSET.mask("RO37")
    logits = claim(DEFAULT_CHARSET, "RO37", 0.5).log_probs
    log_probs = log_probabilities(logits, mask)
    text = most_probable(log_probs, DEFAULT_CHARSET)
    weighed, found = favor_digits(log_probs, text, DEFAULT_CHARSET, 1e4)
    assert found.text == "RO37"
    assert found.confidences == pytest.approx(text.confidences, rel=1e-5)
    np.testing.assert_allclose(weighed, log_probs, rtol=1e-4, atol=1e-6)


def test_a_model_without_digits_reads_as_before() -> None:
    charset = Charset("RO37")
    read = claim(charset, "RO37", 0.5)
    assert read.log_probs is not None
    assert favor_digits(read.log_probs, read.free, charset, 1e4) == (read.log_probs, read.free)
