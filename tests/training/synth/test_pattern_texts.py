"""Texts that match patterns."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.errors import OptionError
from sdk.recognize.pattern.template import Template
from training.errors import TrainingError
from training.synth.pattern_texts import PatternTexts


@pytest.mark.parametrize(
    "pattern",
    [
        "LOT [0-9]{2}[A-Z][0-9]{3}",
        "(EXP|BBE)[:.]? ?\\d{2}/\\d{4}",
        "[^a-z]{3,5}",
        "A+B*C?",
        ".{1,9}",
    ],
)
def test_samples_match_their_pattern_as_re_does(pattern: str) -> None:
    texts, rng = PatternTexts([pattern], DEFAULT_CHARSET), np.random.default_rng(0)
    samples = {texts.sample(rng) for _ in range(300)}
    assert all(re.fullmatch(pattern, text) and texts.matches(text) for text in samples)
    assert all(text == " ".join(text.split()) for text in samples)
    assert len(samples) > 5


def test_every_alternative_and_every_pattern_is_drawn() -> None:
    texts = PatternTexts(["A[01]", Template("XX"), "(B|C)"], DEFAULT_CHARSET)
    rng = np.random.default_rng(0)
    samples = {texts.sample(rng) for _ in range(400)}
    assert {"A0", "A1", "B", "C"} <= samples
    assert not texts.matches("ä")
    assert not texts.matches("BCD")


def test_a_pattern_without_a_visible_text_is_refused() -> None:
    with pytest.raises(TrainingError, match="gives no text that a picture can show"):
        PatternTexts([" {3}"], DEFAULT_CHARSET)
    with pytest.raises(TrainingError, match="1 to 60"):
        PatternTexts(["[0-9]{61}"], DEFAULT_CHARSET)
    with pytest.raises(OptionError, match="no text of the allowed characters"):
        PatternTexts(["[A-Z]"], Charset("0123456789"))
    with pytest.raises(OptionError, match="has no"):
        PatternTexts(["A)"], DEFAULT_CHARSET)
