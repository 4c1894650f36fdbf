from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdk.metrics import edit_distance
from sdk.recognize.vocabulary import Vocabulary, default_vocabulary
from training.__main__ import main
from training.data.labels import LABELS


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    some = ["million", "millions", "exit", "for", "For", "for", "hotel", "at", "café", "Orem"]
    return Vocabulary(some)


def test_only_words_of_three_letters_and_more_are_kept(words: Vocabulary) -> None:
    assert len(words) == 6
    assert "exit" in words
    assert "exi" not in words
    assert "at" not in words
    assert "café" not in words
    assert "Exit" in words
    assert "eXit" not in words
    assert "exiß" not in words
    assert "" not in words
    assert "a" * 99 not in words


def test_a_file_keeps_the_words(words: Vocabulary, tmp_path: Path) -> None:
    words.save(tmp_path / "own.npz")
    read = Vocabulary.load(tmp_path / "own.npz")
    assert len(read) == len(words)
    assert read.variants("milion") == words.variants("milion")


def test_words_have_levels_of_frequency(tmp_path: Path) -> None:
    leveled = Vocabulary(["exit", "exist", "rest"], ["exit", "rest"], ["best", "rest"])
    leveled.save(tmp_path / "own.npz")
    for words in (leveled, Vocabulary.load(tmp_path / "own.npz")):
        assert words.known_letters("exist") == (5, 0)
        assert words.known_letters("Exit, best REST") == (12, 4 * 1 + 4 * 2 + 4 * 2)
        assert words.known_letters("bost") == (0, 0)
    assert Vocabulary([], ["bad"]).known_letters("BAD") == (3, 0)  # a plate's letters
    packaged = default_vocabulary()
    for word, level in (("beset", 0), ("boost", 1), ("rest", 2), ("best", 3)):
        assert packaged.known_letters(word) == (len(word), level * len(word))


def test_names_are_known_with_a_capital_alone(words: Vocabulary) -> None:
    assert "Orem" in words
    assert "OREM" in words
    assert "orem" not in words
    assert words.variants("Lorem") == ["Orem"]
    assert words.variants("lorem") == []
    assert words.variants("orem") == []


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("exit", 4),
        ("EXIT", 4),
        ("Exit for Hotel!", 12),
        ("eXit", 0),
        ("exits", 0),
        ("FOR", 3),
        ("FOR 123", 0),  # a plate
        ("HOTEL 123", 5),
        ("EXIT to HOTEL", 9),
        ("FOR123", 0),
        ("", 0),
    ],
)
def test_letters_of_known_words_count(words: Vocabulary, text: str, letters: int) -> None:
    assert words.known_letters(text) == (letters, 0)
    assert words.is_known(text) == (letters > 0 and letters == sum(map(str.isalnum, text)))


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("EX1T", []),  # a short token with a digit may be a code
        ("EXLT", ["EXIT"]),
        ("Hote1 for", ["Hotel for"]),
        ("HOT3L", ["HOTEL"]),
        ("H0T3L", []),
        ("hatal", ["hotel"]),  # two letters of five
        ("ehit exit", ["exit exit"]),
        ("Milions!", ["Millions!"]),
        ("millon", ["million"]),
        ("exit", []),
        ("é1", []),
        ("", []),
    ],
)
def test_unknown_words_have_known_variants(
    words: Vocabulary, text: str, variants: list[str]
) -> None:
    assert sorted(words.variants(text)) == sorted(variants)


def test_variants_differ_by_the_edits_that_are_promised() -> None:
    packaged = default_vocabulary()
    for token in ("resdents", "ecit", "skncae", "pasenger", "grat", "cente"):
        found = packaged.variants(token)
        assert found
        for word in found:
            same = len(word) == len(token)
            most = 1 + (len(token) >= 5 if same else len(token) >= 6)
            assert word in packaged
            assert 1 <= edit_distance(token, word) <= most
    assert "residents" in packaged.variants("resdents")
    assert "passenger" in packaged.variants("pasenger")
    assert len(packaged.variants("bat cet dit fot")) == 60


def test_the_command_writes_a_vocabulary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.txt").write_text("# a comment\nexit Rome\nat\n", encoding="utf-8")
    out = str(tmp_path / "own.npz")
    assert main(["vocabulary", str(tmp_path / "words.txt"), "--out", out]) == 0
    assert "2 words" in capsys.readouterr().out
    assert all(word in Vocabulary.load(Path(out)) for word in ("exit", "Rome"))
    (tmp_path / "usual.txt").write_text("exit out", encoding="utf-8")
    lists = [str(tmp_path / "words.txt"), "--more-frequent", str(tmp_path / "usual.txt")]
    assert main(["vocabulary", *lists, "--out", out]) == 0
    assert Vocabulary.load(Path(out)).known_letters("exit Rome") == (8, 4)
    rows = [{"image": f"{i}.png", "text": "BHD 9 exit-IN"} for i in range(3)]
    rows += [{"image": "3.png", "text": text} for text in ("", None, "Rome")]
    rows += [{"image": f"{i}.png", "text": "test", "split": "test"} for i in range(4, 7)]
    (tmp_path / LABELS).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert main(["vocabulary", str(tmp_path), "--out", out]) == 0
    assert len(Vocabulary.load(Path(out))) == 2
    assert all(word in Vocabulary.load(Path(out)) for word in ("bhd", "exit"))
    (tmp_path / "words.txt").write_text("at", encoding="utf-8")
    assert main(["vocabulary", str(tmp_path / "words.txt"), "--out", out]) == 1
    assert main(["vocabulary", str(tmp_path / "none.txt"), "--out", out]) == 1
    said = capsys.readouterr().err
    assert "no list holds a word" in said
    assert "none.txt cannot be read" in said
