"""Phrases that are known as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdk.recognize.phrases import Phrases
from sdk.recognize.vocabulary import Vocabulary, default_vocabulary
from training.__main__ import main

PHRASES = Phrases(
    ["BEST BY", "Best If Used By", "PRO:", "EXP:", "EXPIRY", "B:", "GRÖSSE:", "BEST BY:"]
)


def test_words_marks_without_letters_and_other_alphabets_are_left_out() -> None:
    assert list(PHRASES) == ["BEST BY", "BEST BY:", "BEST IF USED BY", "EXP:", "PRO:"]
    assert len(PHRASES) == 5
    assert list(Phrases([])) == []


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("BEST BY 12/26", [(0, 7)]),
        ("best by: 12/26", [(0, 8)]),  # the longer phrase
        ("12 EXP:12/26 PRO:1", [(3, 7), (13, 17)]),
        ("BEST BYE", []),
        ("XEXP:12", []),
        ("REST BY", []),
        ("", []),
        ("ß BEST BY", []),
    ],
)
def test_places_of_phrases(text: str, places: list[tuple[int, int]]) -> None:
    assert sorted(PHRASES.places(text)) == places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("REST IF USED RO", "BEST IF USED BY"),
        ("Rest By 12", "Best By 12"),
        ("rest by 12", "best by 12"),
        ("L12 PR0:08/2022", "L12 PRO:08/2022"),
        ("EXR:26", "EXP:26"),
    ],
)
def test_similar_texts_become_phrases(text: str, expected: str) -> None:
    assert expected in PHRASES.variants(text)


@pytest.mark.parametrize(
    "text",
    [
        "BEST BY",
        "REXT BX",
        "XREST BY",
        "REST BYE",
        "AB12",
        "P:",
        "",
        "ß",
        "REST IS USEO RO",
        "EXP.26",
        "BEST.BY",
    ],
)
def test_other_texts_stay(text: str) -> None:
    """Those with more than a fifth of other characters, parts of longer words, and other signs."""
    assert PHRASES.variants(text) == []


def test_all_words_of_a_phrase_are_known() -> None:
    words = Vocabulary(["rest"], phrases=PHRASES)
    assert words.known_letters("BEST BY") == (6, 18)
    assert words.known_letters("PRO:08") == (3, 9)  # three letters beside digits, in no phrase: 0
    assert words.known_letters("REST BY") == (4, 0)
    assert words.is_known("best by")
    assert words.variants("REST BY")[0] == "BEST BY"
    assert Vocabulary(["rest"]).variants("REST BY") == []


def test_a_file_keeps_the_phrases(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    Vocabulary(["rest"], phrases=PHRASES).save(path)
    assert Vocabulary.load(path).variants("PR0:08") == ["PRO:08"]
    with np.load(path) as arrays:
        older = {name: arrays[name] for name in arrays.files if name != "phrases"}
    np.savez(path, **older)
    assert Vocabulary.load(path).variants("PR0:08") == []


def test_command_takes_sections_of_the_generator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.txt").write_text("rest\n")
    out = tmp_path / "own.npz"
    asked = ["vocabulary", str(tmp_path / "words.txt"), "--phrases", "date words"]
    assert main([*asked, "lot words", "--out", str(out)]) == 0
    own = Vocabulary.load(out)
    assert "BEST BEFORE" in own.variants("REST BEFORE")
    assert "LOT:12" in own.variants("L0T:12")
    assert "INVOICE NO:" not in own.variants("INVOICE N0:")
    with pytest.raises(SystemExit):
        main([*asked, "no such section", "--out", str(out)])
    assert "no such section" in capsys.readouterr().err


def test_packaged_phrases_of_dates_lots_and_receipts() -> None:
    packaged = default_vocabulary()
    assert "BEST IF USED BY 06/24" in packaged.variants("REST IF USED RY 06/24")
    assert "LOT: A12" in packaged.variants("L0T: A12")
    assert packaged.known_letters("EXP:08/2023") == (3, 9)
