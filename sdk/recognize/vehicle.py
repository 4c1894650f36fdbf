"""Vehicle identification numbers (VIN), which the vote of a line knows by their form.

Sources: ISO 3779 (17 letters and digits without I, O and Q, the last four are digits), ISO 3780
(the first two tell the country), 49 CFR 565.15 (the check digit, which is not used everywhere).

Signs around a number are read as letters by mistake, and 0, 5 and 8 as D, S and B. The form of a
number tells the former, its check digit the latter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = [
    "CHECK_PLACE",
    "LENGTH",
    "SYMBOLS",
    "check_digit",
    "count",
    "has_check_digit",
    "variants",
]

LENGTH = 17
_LETTERS, _DIGITS = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"
SYMBOLS = _LETTERS + _DIGITS
"""Letters and digits of a number."""

_VALUES = dict(zip(SYMBOLS, map(int, "12345678123457923456789" + _DIGITS), strict=True))
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
CHECK_PLACE = 8
"""Place of the check digit, which has no weight."""

_COUNTRIES = (
    "A[A-HJ-NPR-Z1-5]|B[ABFGLR34]|C[ABFGLM]|D[A-E]|[HJLW][A-HJ-NPR-Z0-9]|K[FGHLMNPRST]"
    "|M[A-FGHJKLMNPRSUX1-6]|N[A-GJLMNPRSTUY1-5]|P[A-CFGLMNPRST]|R[A-HJKLMNPSTUVW1]"
    "|S[A-HJ-NPR-Z1-3]|T[A-HJ-NPR-Z1-356]|U[A-CHJKLMNPRUVW0-25-8]|V[A-HJKLMNPRS-Z1-35-8]"
    "|X[A-HJ-NPR-Z0-9]|Y[A-HJKNSTUVWX-Z1-8]|Z[A-HJ-NPRSTUXYZ0-9]|[1457][A-HJ-NPR-Z0-9]"
    "|2[A-HJ-NPR-Z1-5]|3[A-HJ-NPR-X5-9]|6[A-HJ-NPR-Z1]|8[A-HJ-NPSTX-Z2]|9[A-HJ-NPRSTUV2-9]"
)
"""Assigned country codes, as an expression of two characters."""
_NUMBER = re.compile(f"(?:{_COUNTRIES})[{SYMBOLS}]{{11}}[0-9]{{4}}")
_FEWEST_LETTERS = 3
_FEWEST_DIGITS = 5

_TOKEN = re.compile(r"[A-Za-z0-9]+")
_MOST_SIGNS = 3
"""Most signs around a number that may have been read as letters or digits."""
_NEVER = str.maketrans("IOQ", "100")
"""Letters that no number has, as the digits that they resemble."""
_PAIRS = (
    *("0D", "8B", "5S", "2Z", "6G", "VY", "L1", "7T", "4A", "UV", "38", "56", "89", "MN", "MW"),
    *("O0", "Q0", "I1"),
)
_ALIKE = {
    symbol: "".join(pair.replace(symbol, "") for pair in _PAIRS if symbol in pair)
    for symbol in SYMBOLS + "IOQ"
}
"""Characters that the network misread as each other in stamped and engraved numbers."""


def check_digit(number: str) -> str:
    """Return the check digit, 0 to 9 or X, of a number of 17 characters."""
    total = sum(weight * _VALUES[c] for weight, c in zip(_WEIGHTS, number, strict=True))
    return "0123456789X"[total % 11]


def has_check_digit(number: str) -> bool:
    """Tell whether a number of 17 characters has the right check digit."""
    return number[CHECK_PLACE] == check_digit(number)


def _is_number(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters >= _FEWEST_LETTERS and _has_digits(text) and _NUMBER.fullmatch(text) is not None


def _has_digits(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= _FEWEST_DIGITS


def count(text: str) -> tuple[int, int]:
    """Return how many tokens of a text are numbers, and how many have the right check digit.

    A token with I, O or Q counts if it were a number with 1 and 0 in their place: the form alone
    does not tell which of them was printed.
    """
    tokens = _TOKEN.findall(text)
    likely = sum(_is_number(x.translate(_NEVER)) and _has_digits(x) for x in tokens)
    return likely, sum(_is_number(token) and has_check_digit(token) for token in tokens)


def variants(text: str) -> list[str]:
    """Return copies of a text in which a number replaces a token that may be a misread one.

    Up to three characters around the number are left out, or one character is changed to a similar
    one that makes the check digit right, or both.
    """
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(text):
        token = match[0].upper()
        if not LENGTH <= len(token) <= LENGTH + _MOST_SIGNS:
            continue
        for start in range(len(token) - LENGTH + 1):
            for number in _similar(token[start : start + LENGTH]):
                found[text[: match.start()] + number + text[match.end() :]] = None
    found.pop(text, None)
    return list(found)


def _similar(seen: str) -> Iterator[str]:
    """Yield what was seen if it is a number, and similar numbers of the right check digit."""
    if _is_number(seen):
        yield seen
    for place, character in enumerate(seen):
        for other in _ALIKE[character]:
            number = seen[:place] + other + seen[place + 1 :]
            if _is_number(number) and has_check_digit(number):
                yield number
