"""CTC decoding against all paths, enumerated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.charset import Charset
from sdk.recognize.ctc import (
    CtcText,
    align,
    beam_search,
    character_edges,
    collapse,
    decode,
    log_probabilities,
)
from tests.sdk.recognize.paths import all_texts, collapse_by_definition, random_log_probs

shapes = st.tuples(st.integers(0, 2**16), st.integers(1, 6), st.integers(2, 4))


@given(st.lists(st.integers(0, 3), max_size=12))
def test_collapse_is_the_definition(path: list[int]) -> None:
    ids, first, last = collapse(path)
    assert tuple(ids.tolist()) == collapse_by_definition(tuple(path))
    for c, a, b in zip(ids, first, last, strict=True):
        assert set(path[a:b]) == {c}


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_wide_beam_search_is_exact(shape: tuple[int, int, int]) -> None:
    log_probs = random_log_probs(*shape)
    expected = all_texts(log_probs)
    found = beam_search(log_probs, 100_000, floor=0)
    assert sum(expected.values()) == pytest.approx(1, abs=1e-5)
    assert {text: math.exp(p) for text, p in found} == pytest.approx(dict(expected), abs=1e-6)
    probabilities = [p for _, p in found]
    assert probabilities == sorted(probabilities, reverse=True)


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_narrow_beam_never_claims_more_than_the_truth(shape: tuple[int, int, int]) -> None:
    log_probs = random_log_probs(*shape)
    expected = all_texts(log_probs)
    for text, p in beam_search(log_probs, 3):
        assert math.exp(p) <= expected[text] + 1e-6


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_alignment_is_the_best_path_of_its_text(shape: tuple[int, int, int]) -> None:
    log_probs = random_log_probs(*shape)
    columns, classes = log_probs.shape
    best: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(classes), repeat=columns):
        text = collapse_by_definition(path)
        p = float(sum(log_probs[t, c] for t, c in enumerate(path)))
        best[text] = max(best.get(text, -math.inf), p)
    for text, p in best.items():
        found = align(log_probs, text)
        assert collapse_by_definition(tuple(found.tolist())) == text
        assert sum(log_probs[t, c] for t, c in enumerate(found)) == pytest.approx(p, abs=1e-4)


def test_alignment_of_what_does_not_fit() -> None:
    log_probs = random_log_probs(0, 2, 3)
    with pytest.raises(ValueError, match="2 characters does not fit into 2 columns"):
        align(log_probs, [1, 1])
    with pytest.raises(ValueError, match="does not fit into 0 columns"):
        align(log_probs[:0], [1])
    assert align(log_probs[:0], []).shape == (0,)


def test_beam_finds_what_greedy_misses() -> None:
    # Graves' example: the likeliest path is all blank, the likeliest text is not
    logits = np.log([[0.6, 0.4], [0.6, 0.4]])
    charset = Charset("a")
    assert decode(logits, charset).text == ""
    found = decode(logits, charset, beam=4)
    assert found.text == "a"
    assert math.exp(beam_search(log_probabilities(logits), 4)[0][1]) == pytest.approx(0.64)


def test_greedy_confidences_and_spans() -> None:
    p = np.full((7, 3), 0.05)
    for t, (c, q) in enumerate(
        [(0, 0.9), (1, 0.8), (1, 0.9), (0, 0.9), (1, 0.7), (2, 0.6), (0, 0.9)]
    ):
        p[t] = (1 - q) / 2
        p[t, c] = q
    found = decode(np.log(p), Charset("ab"))
    assert found.text == "aab"
    assert found.spans == ((1, 3), (4, 5), (5, 6))
    assert found.confidences == pytest.approx((0.9, 0.7, 0.6), abs=1e-5)
    assert found.confidence == pytest.approx((0.9 * 0.7 * 0.6) ** (1 / 3), abs=1e-5)


@settings(max_examples=50, deadline=None)
@given(shapes, st.integers(0, 2))
def test_confidence_is_the_highest_of_a_characters_own_columns(
    shape: tuple[int, int, int], beam: int
) -> None:
    log_probs = random_log_probs(*shape)
    charset = Charset("abcdefgh"[: log_probs.shape[1] - 1])
    text = decode(log_probs, charset, beam=beam)
    ids = charset.encode(text.text).tolist()
    for c, confidence, (first, end) in zip(ids, text.confidences, text.spans, strict=True):
        assert confidence == pytest.approx(np.exp(log_probs[first:end, c].max()), abs=1e-5)


def test_mask_takes_part_before_the_softmax() -> None:
    logits = np.array([[0.0, 5.0, 4.0]])
    charset = Charset("ab")
    assert decode(logits, charset).text == "a"
    masked = decode(logits, charset, mask=charset.mask("b"))
    assert masked.text == "b"
    assert masked.confidence == pytest.approx(1 / (1 + math.exp(-4)), abs=1e-5)
    assert decode(logits, charset, mask=charset.mask("b"), beam=3).text == "b"


def test_temperature_changes_confidence_only() -> None:
    logits = np.array([[0.0, 5.0, 4.0]])
    cold, hot = (decode(logits, Charset("ab"), temperature=t) for t in (1.0, 4.0))
    assert cold.text == hot.text == "a"
    assert hot.confidence < cold.confidence


def test_nothing_to_read() -> None:
    for beam in (0, 5):
        found = decode(np.zeros((0, 3)), Charset("ab"), beam=beam)
        assert (found.text, found.confidence, found.columns) == ("", 0.0, 0)
        assert decode(np.array([[9.0, 0, 0]] * 4), Charset("ab"), beam=beam).text == ""


def test_edges_lie_between_the_characters() -> None:
    text = CtcText("abc", (1.0, 1.0, 1.0), ((2, 4), (6, 8), (10, 12)), 16)
    start, end = character_edges(text)
    assert start == pytest.approx(np.array([1, 5, 9]) / 16)
    assert end == pytest.approx(np.array([5, 9, 13]) / 16)
    start, end = character_edges(CtcText("ab", (1.0, 1.0), ((0, 1), (15, 16)), 16))
    assert (start[0], end[-1]) == (0, 1)
    assert [edge.tolist() for edge in character_edges(CtcText("a", (1.0,), ((3, 4),), 16))] == [
        [0],
        [1],
    ]
    assert len(character_edges(CtcText("", (), (), 5))[0]) == 0
