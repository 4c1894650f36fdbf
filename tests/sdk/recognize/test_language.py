from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sdk.charsets import CHARSETS
from sdk.recognize.language import LanguageModel, default_language
from training.synth.trigrams import log_trigrams


def model(folder: Path, texts: list[str], symbols: str) -> LanguageModel:
    LanguageModel.save(folder / "own.npz", symbols, log_trigrams(texts, symbols))
    return LanguageModel.load(folder / "own.npz")


def test_trigrams_are_probabilities() -> None:
    table = log_trigrams(["LOT 12", "LOT 34", "B"], "BLOT1234 ")
    assert math.exp(table[0, 0, 2]) > 0.5  # texts begin with L
    for before in ((0, 0), (0, 2), (3, 4), (10, 10)):
        assert np.exp(table[before]).sum() == pytest.approx(1)


def test_a_file_keeps_the_model(tmp_path: Path) -> None:
    own = model(tmp_path, ["AB"] * 50, "AB")
    assert own.log_probability("AB") == pytest.approx(0, abs=0.4)
    assert own.log_probability("BA") < -5


def test_characters_without_a_row_are_unusual_and_equal(tmp_path: Path) -> None:
    own = model(tmp_path, ["AB"] * 50, "AB")
    assert own.log_probability("é") == own.log_probability("ß")
    assert own.log_probability("é") < -2


@pytest.mark.parametrize(
    ("usual", "unusual"),
    [
        ("CONTACT", "C@NTACT"),
        ("Inclusive", "lnclusive"),
        ("Total", "Totai"),
        ("LOT 4521", "L0T 4521"),
        ("24,90 €", "24,9O €"),
        ("12:30", "12;30"),
    ],
)
def test_the_packaged_model_knows_usual_texts(usual: str, unusual: str) -> None:
    packaged = default_language()
    assert packaged.log_probability(usual) > packaged.log_probability(unusual) + 1


def test_the_packaged_model_knows_the_characters_of_industry() -> None:
    packaged = default_language()
    strange = packaged.log_probability("\u4e2d")
    known = [packaged.log_probability(c) for c in CHARSETS["industrial"].symbols]
    assert sum(p > strange for p in known) > 0.9 * len(known)
