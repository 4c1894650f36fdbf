# ruff: noqa: RUF001 (the charsets hold characters that look like ASCII ones)
"""Charsets with a name, for models of a purpose or of a group of languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from sdk.charset import DEFAULT_CHARSET, Charset

__all__ = ["CHARSETS"]


def _without_repeats(*parts: str) -> Charset:
    return Charset("".join(dict.fromkeys("".join(parts))))


def _assigned(first: int, last: int) -> str:
    """Return the letters, numbers, punctuation and symbols of a range of Unicode."""
    characters = map(chr, range(first, last + 1))
    return "".join(c for c in characters if unicodedata.category(c)[0] in "LNPS")


_ASCII = DEFAULT_CHARSET.symbols
_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Signs of prices and measures; none looks like a character of ASCII.
_MEASURES = "€£°µ±²³"
# Signs of prices, measures and packages in all of Europe.
_SIGNS = "€£§°µ±²³½¼·×÷«»„“”‚‘’–—…•®©™"
# Letters of the official languages of Western, Central and Northern Europe, and of Turkish.
_WESTERN = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿŒœŸ¿¡ªº"
_CENTRAL = "ĄąĆćĘęŁłŃńŚśŹźŻżČčĎďĚěŇňŘřŠšŤťŮůŽžĹĺĽľŔŕŐőŰűĂăȘșȚțĐđ"
_BALTIC = "ĀāĒēĢģĪīĶķĻļŅņŪūĖėĮįŲų"
_TURKISH = "ĞğİıŞş"
# Cyrillic of Ukraine and Kazakhstan outside the range that holds the other alphabets.
_MORE_CYRILLIC = "ҐґҒғҚқҢңҮүҰұҺһӘәӨө"

CHARSETS: Mapping[str, Charset] = MappingProxyType(
    {
        "digits": Charset(" " + _DIGITS + "+-.,:/%"),
        "plates": Charset(" " + _DIGITS + _UPPER + "-."),
        "ascii": DEFAULT_CHARSET,
        "industrial": _without_repeats(_ASCII, _MEASURES),
        "latin1": _without_repeats(_ASCII, _assigned(0xA1, 0xFF)),
        "latin": _without_repeats(_ASCII, _SIGNS, _WESTERN, _CENTRAL, _BALTIC, _TURKISH),
        "greek": _without_repeats(_ASCII, _SIGNS, "΄΅Ά·ΈΉΊΌΎΏ", _assigned(0x390, 0x3CE)),
        "cyrillic": _without_repeats(_ASCII, _SIGNS, "№", _assigned(0x400, 0x45F), _MORE_CYRILLIC),
    }
)
"""Charsets by name: `digits`, `plates`, `ascii`, `industrial`, `latin1`, `latin`, `greek`,
`cyrillic`.

A configuration of the trainer may name one instead of its characters.
"""
