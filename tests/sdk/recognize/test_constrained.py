"""Constrained decoding against all texts, enumerated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sdk.charset import Charset
from sdk.recognize.constrained import constrained_search, decode_constrained
from sdk.recognize.ctc import beam_search, decode, log_probabilities
from sdk.recognize.pattern.automaton import compile_pattern
from tests.sdk.recognize.paths import all_texts, random_log_probs

CHARSET = Charset("ab1")
shapes = st.tuples(st.integers(0, 2**16), st.integers(1, 6), st.just(4))
patterns = st.sampled_from(
    ["a", "aa", "[ab]1?", "a*1+", "(ab)+", "[^b]{2,3}", "a|b1|11a", "(a|1)(b|1)", ".*", "1b?1"]
)


@settings(max_examples=60, deadline=None)
@given(shapes, patterns)
def test_wide_search_is_exact(shape: tuple[int, int, int], pattern: str) -> None:
    log_probs = random_log_probs(*shape)
    automaton = compile_pattern(pattern, CHARSET)
    expected = {t: p for t, p in all_texts(log_probs).items() if automaton.matches(t)}
    found = constrained_search(log_probs, automaton, 100_000, floor=0)
    assert {text: math.exp(p) for text, p in found} == pytest.approx(expected, abs=1e-7)
    probabilities = [p for _, p in found]
    assert probabilities == sorted(probabilities, reverse=True)


@settings(max_examples=60, deadline=None)
@given(shapes, patterns, st.integers(1, 3))
@example((2, 2, 4), "[^b]{2,3}", 1)  # the likeliest class is the one just read, without a blank
def test_narrow_search_finds_an_allowed_text_if_there_is_one(
    shape: tuple[int, int, int], pattern: str, width: int
) -> None:
    log_probs = random_log_probs(*shape)
    automaton = compile_pattern(pattern, CHARSET)
    expected = {t: p for t, p in all_texts(log_probs).items() if automaton.matches(t)}
    found = constrained_search(log_probs, automaton, width)
    assert bool(found) == bool(expected)
    assert len(found) <= width
    for text, p in found:
        assert math.exp(p) <= expected[text] * (1 + 1e-6) + 1e-12


def certain(text: str, columns: int, charset: Charset, least: float = 1e-9) -> Any:
    """Probabilities of a line that reads one text clearly, a blank between the characters."""
    p = np.full((columns, charset.classes), least)
    p[:, 0] = 1
    for i, c in enumerate(charset.encode(text)):
        p[2 * i + 1, 0] = least
        p[2 * i + 1, c] = 1
    return np.log(p / p.sum(1, keepdims=True))


def test_a_digit_where_the_network_saw_a_letter() -> None:
    charset = Charset("ABO0128")
    logits = certain("ABO12", 12, charset)
    logits[5, charset.encode("0")] = np.log(0.1)
    logits[5, charset.encode("8")] = np.log(0.02)
    automaton = compile_pattern("[A-Z]{2}[0-9]{3}", charset)
    fit = decode_constrained(log_probabilities(logits), charset, automaton)
    assert fit is not None
    assert decode(logits, charset).text == "ABO12"
    assert fit.text.text == "AB012"
    assert fit.text.spans == tuple((2 * i + 1, 2 * i + 2) for i in range(5))
    # the letter takes no share, as with a charset
    wanted = (1, 1, 0.1 / 0.12, 1, 1)
    assert fit.text.confidences == pytest.approx(wanted, abs=1e-4)
    assert fit.log_probability == pytest.approx(math.log(0.1 / 1.12), abs=1e-3)


def test_improbable_texts_are_still_found() -> None:
    charset = Charset("ABO0128")
    automaton = compile_pattern("[A-Z]{2}[0-9]{3}", charset)
    for columns in (5, 20, 256):
        fit = decode_constrained(certain("", columns, charset), charset, automaton)
        assert fit is not None
        assert automaton.matches(charset.encode(fit.text.text).tolist())
        assert fit.log_probability < math.log(1e-30)


def test_nothing_fits() -> None:
    charset = Charset("AB1")
    automaton = compile_pattern("AAA", charset)
    for columns in (0, 1, 4):  # AAA needs two blanks between
        assert decode_constrained(np.zeros((columns, 4)), charset, automaton) is None
    assert decode_constrained(np.zeros((5, 4)), charset, automaton) is not None
    without = log_probabilities(np.zeros((9, 4)), charset.mask("B1"))
    assert decode_constrained(without, charset, automaton) is None


def test_probabilities_below_double_precision_are_no_reading() -> None:
    charset = Charset("AB")
    automaton = compile_pattern("A{40}", charset)
    assert decode_constrained(certain("B", 100, charset, 1e-30), charset, automaton) is None


def test_with_any_text_allowed_the_best_of_all_is_found() -> None:
    charset = Charset("AB1")
    log_probs = log_probabilities(random_log_probs(3, 12, 4), charset.mask("B1"), 2.0)
    fit = decode_constrained(log_probs, charset, compile_pattern(".+", charset), beam=1000)
    assert fit is not None
    ids, p = beam_search(log_probs, 10_000, floor=0)[0]
    assert tuple(charset.encode(fit.text.text)) == ids
    assert fit.log_probability == pytest.approx(p, abs=1e-5)
