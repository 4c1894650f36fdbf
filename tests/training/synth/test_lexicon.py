"""Texts of alphabets besides ASCII, from word lists and made up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sdk.charset import DEFAULT_CHARSET
from sdk.charsets import CHARSETS
from training.synth.lexicon import Lexicon
from training.synth.text import MAX_LENGTH


def more(name: str) -> str:
    return "".join(c for c in CHARSETS[name].symbols if c not in DEFAULT_CHARSET)


@pytest.mark.parametrize("name", ["latin1", "latin", "greek", "cyrillic"])
def test_texts_have_the_charset_only_and_letters_that_ascii_lacks(
    name: str, tmp_path: Path
) -> None:
    lexicon, rng = Lexicon(more(name), tmp_path), np.random.default_rng(0)
    texts = [lexicon.sample(rng) for _ in range(1500)]
    assert all(c in CHARSETS[name] for text in texts for c in text)
    assert all(0 < len(text) <= MAX_LENGTH and text == text.strip() for text in texts)
    seen = Counter("".join(texts))
    letters = [c for c in more(name) if c.isalpha() and c not in "ªºµ"]
    assert [c for c in letters if not seen[c]] == []


def test_word_lists_are_read_and_rare_letters_are_drawn_often(tmp_path: Path) -> None:
    words = ["Apfel"] * 50 + ["Bär"] * 200 + ["Straße", "naïve"]
    (tmp_path / "ngerman").write_text("\n".join(words), encoding="utf-8")
    (tmp_path / "old").write_bytes("Bär".encode("latin-1"))
    lexicon, rng = Lexicon("äßï", tmp_path), np.random.default_rng(0)
    assert lexicon.words == 202
    texts = " ".join(lexicon.sample(rng) for _ in range(400))
    assert "Apfel" not in texts
    assert min(texts.count("Straße"), texts.count("naïve")) > 20


def test_of_a_long_list_words_with_all_initials_are_drawn(tmp_path: Path) -> None:
    alphabet = "абвгдежзийклмнопрстуфхцчшщьюя"
    words = [a + b + c + d for a in alphabet for b in alphabet for c in alphabet for d in alphabet]
    (tmp_path / "ukrainian").write_text("\n".join(words), encoding="utf-8")
    lexicon, rng = Lexicon(alphabet, tmp_path), np.random.default_rng(0)
    assert len(words) > 700_000
    texts = [lexicon.sample(rng).lower() for _ in range(2000)]
    initials = Counter(word[0] for text in texts for word in text.split() if len(word) == 4)
    assert min(initials[c] for c in alphabet) > 10


def test_signs_stand_in_their_forms(tmp_path: Path) -> None:
    lexicon, rng = Lexicon("€°", tmp_path), np.random.default_rng(0)
    texts = [lexicon.sample(rng) for _ in range(300)]
    assert sum("€" in text and any(c.isdigit() for c in text) for text in texts) > 5
    assert not any("Ø" in text for text in texts)
