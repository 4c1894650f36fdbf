from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from sdk.charset import DEFAULT_CHARSET
from sdk.recognize.vehicle import check_digit
from training.synth.plates import COUNTRIES, fill, sample_plate
from training.synth.text import KINDS, MAX_LENGTH, sample_text, vocabulary
from training.synth.vin import sample_vin


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_one_clean_line(kind: str) -> None:
    rng = np.random.default_rng(3)
    allowed = set(DEFAULT_CHARSET.symbols)
    texts = [sample_text(rng, kind) for _ in range(400)]
    for text in texts:
        assert 1 <= len(text) <= MAX_LENGTH
        assert text == " ".join(text.split())
        assert set(text) <= allowed
    assert len(set(texts)) > (50 if kind == "single" else 100)


def test_same_seed_same_texts() -> None:
    first, second = (np.random.default_rng(9) for _ in range(2))
    assert [sample_text(first) for _ in range(200)] == [sample_text(second) for _ in range(200)]


def test_texts_cover_the_charset_and_its_look_alikes() -> None:
    rng = np.random.default_rng(0)
    texts = [sample_text(rng) for _ in range(20000)]
    count = Counter("".join(texts))
    assert set(DEFAULT_CHARSET.symbols) == set(count)
    assert min(count.values()) > 20
    for char in "0O1Il5S8B2Z":
        assert count[char] > 400, char
    assert sum("11" in t for t in texts) > 200
    assert sum("000" in t for t in texts) > 200


def test_lengths_are_those_of_printed_lines() -> None:
    rng = np.random.default_rng(1)
    lengths = [len(sample_text(rng)) for _ in range(5000)]
    low, high = np.percentile(lengths, [25, 75])
    assert low >= 4
    assert high <= 16


def test_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="poem"):
        sample_text(np.random.default_rng(0), "poem")


@pytest.mark.parametrize("country", COUNTRIES)
def test_plates_are_capitals_digits_and_separators(country: str) -> None:
    rng = Random(4)
    for _ in range(50):
        plate = sample_plate(rng, country)
        assert 4 <= sum(c.isalnum() for c in plate) <= 10
        assert all(c.isdigit() or c.isupper() or c in " -" for c in plate)


def test_unknown_country_is_named() -> None:
    with pytest.raises(ValueError, match="atlantis"):
        sample_plate(Random(0), "atlantis")


def test_fill_keeps_what_is_no_placeholder() -> None:
    text = fill(Random(0), "DD-LL/N", "Q")
    assert text[2:6] == "-QQ/"
    assert text[:2].isdigit()
    assert text[6] in "123456789"


def test_vocabulary_is_plain_lower_case() -> None:
    assert len(vocabulary()) > 500
    assert all(word.isascii() and word.isalpha() and word.islower() for word in vocabulary())


def test_codes_seldom_hold_letters_that_look_like_digits() -> None:
    rng = np.random.default_rng(0)
    letters = [c for _ in range(3000) for c in sample_text(rng, "code") if c.isalpha()]
    share = sum(c in "IOQ" for c in letters) / len(letters)
    assert 0.01 < share < 0.09  # of 26 letters three: 0.115


def test_vehicle_numbers_have_their_check_digit():
    # 49 CFR 565.15's own example, and the number of all ones
    assert check_digit("1M8GDM9AXKP042788") == "X"
    assert check_digit("1" * 17) == "1"
    numbers = [sample_vin(Random(seed)).strip("*").removeprefix("VIN ") for seed in range(300)]
    assert all(len(n) == 17 and not set(n) & set("IOQ") for n in numbers)
    right = sum(check_digit(n) == n[8] for n in numbers)
    assert 150 < right < 260


def test_words_with_a_double_letter_are_frequent() -> None:
    rng = np.random.default_rng(3)
    words = [word for _ in range(300) for word in sample_text(rng, "words").lower().split()]
    doubled = [word for word in words if any(a == b for a, b in pairwise(word) if a.isalpha())]
    assert len(doubled) > 0.25 * len(words)
