"""Check digits of trade items, containers and vehicles, and of the Luhn formula.

Sources: GS1 General Specifications section 7.9 (GTIN-8, -12, -13, -14), ISO 6346 annex A (freight
containers), 49 CFR 565.15 (vehicle identification numbers), US patent 2950048 (Luhn).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sdk.recognize import vehicle

__all__ = ["SCHEMES", "expected_digit", "find_numbers", "is_valid"]

_GTIN_LENGTHS = (8, 12, 13, 14)
# values of letters in ISO 6346: from 10, without the multiples of 11
_CONTAINER = {
    **{str(d): d for d in range(10)},
    **dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", [n for n in range(10, 39) if n % 11], strict=True)),
}


def _gtin(number: str) -> str:
    weighted = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(number[-2::-1]))
    return str(-weighted % 10)


def _iso6346(number: str) -> str:
    return str(sum(_CONTAINER[c] << i for i, c in enumerate(number[:10])) % 11 % 10)


def _luhn(number: str) -> str:
    total = 0
    for i, digit in enumerate(number[-2::-1]):
        doubled = int(digit) * (2 if i % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


# Scheme -> (name of its numbers, function that returns the check digit, pattern of a number)
SCHEMES: dict[str, tuple[str, Callable[[str], str], re.Pattern[str]]] = {
    "gtin": ("GTIN (8, 12, 13 or 14 digits)", _gtin, re.compile(r"[0-9]+(?:[ -][0-9]+)*")),
    "iso6346": (
        "container number (4 letters, 7 digits)",
        _iso6346,
        re.compile(r"(?<![A-Z])[A-Z]{3}[ -]?[UJZ][ -]?[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9](?![0-9])"),
    ),
    "vin": (
        "vehicle identification number (17 letters and digits, no I, O, Q)",
        vehicle.check_digit,
        re.compile(r"(?<![A-Z0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])"),
    ),
    "luhn": ("number of at least 4 digits", _luhn, re.compile(r"[0-9]+(?:[ -][0-9]+)*")),
}


def find_numbers(scheme: str, text: str) -> list[str]:
    """Return the possible numbers of a scheme in a line, without spaces and hyphens.

    Groups of digits with spaces between them count both as one number and as several numbers.

    Args:
        scheme: A key of `SCHEMES`.
        text: Text of the line.
    """
    pattern = SCHEMES[scheme][2]
    found: list[str] = []
    for match in pattern.finditer(text.upper()):
        parts = re.split("[ -]", match[0])
        found.append("".join(parts))
        if scheme in ("gtin", "luhn") and len(parts) > 1:
            found += parts
    if scheme == "gtin":
        return [number for number in found if len(number) in _GTIN_LENGTHS]
    return [number for number in found if len(number) >= 4]


def expected_digit(scheme: str, number: str) -> str:
    """Return the right check digit for a number from `find_numbers`."""
    return SCHEMES[scheme][1](number)


def is_valid(scheme: str, number: str) -> bool:
    """Tell whether a number from `find_numbers` has the right check digit."""
    digit = number[vehicle.CHECK_PLACE] if scheme == "vin" else number[-1]
    return digit == expected_digit(scheme, number)
