"""Charsets by name."""

from __future__ import annotations

import unicodedata

import pytest

from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.charsets import CHARSETS
from sdk.metrics import wilson_interval
from training.config import parse_config


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("digits", "-12.5 % 08:30 1,5"),
        ("plates", "AB-123 CD"),
        ("ascii", "~!Az"),
        ("latin1", "24,90 £ für Å"),
        ("latin", "24,90 € 5 µm ±2 °C m² m³ Ø Čeština Łódź Ğİş Škoda naïve Ærø"),
        ("greek", "Ελλάδα ΐ Ώ €"),
        ("cyrillic", "Съешь ещё Київ Ђорђе Қазақ Ұлы №"),
    ],
)
def test_charsets_hold_what_their_name_says(name: str, text: str) -> None:
    charset = CHARSETS[name]
    assert [c for c in text if c not in charset] == []
    assert not [c for c in charset.symbols if unicodedata.category(c)[0] in "CM"]
    # composed letters, as a label has them
    assert unicodedata.normalize(
        "NFC", charset.symbols.replace("΅", "")
    ) == charset.symbols.replace("΅", "")


def test_a_configuration_names_a_charset_or_gives_its_characters() -> None:
    assert parse_config('[model]\ncharset = "latin"').model.charset == CHARSETS["latin"].symbols
    assert parse_config('[model]\ncharset = "01"').model.charset == "01"
    assert parse_config("").model.charset == DEFAULT_CHARSET.symbols
    assert Charset(parse_config('[model]\ncharset = "digits"').model.charset).classes == 19


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    # published examples: Newcombe 1998, table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_agrees_with_published_values(
    right: int, total: int, low: float, high: float
) -> None:
    assert wilson_interval(right, total) == pytest.approx((low, high), abs=5e-5)


def test_without_trials_every_share_is_possible() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
