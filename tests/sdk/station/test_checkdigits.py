from __future__ import annotations

import pytest

from sdk.station.checkdigits import SCHEMES, find_numbers, is_valid

# Published examples: Wikipedia's for each scheme, GS1's for GTIN-13 and GTIN-14.
VALID = [
    ("gtin", "73513537"),
    ("gtin", "96385074"),
    ("gtin", "036000291452"),
    ("gtin", "4006381333931"),
    ("gtin", "6291041500213"),
    ("gtin", "10614141000415"),
    ("iso6346", "CSQU3054383"),
    ("iso6346", "MSKU6011672"),
    ("vin", "1M8GDM9AXKP042788"),
    ("vin", "11111111111111111"),
    ("luhn", "79927398713"),
    ("luhn", "17893729974"),
    ("luhn", "4111111111111111"),
]


@pytest.mark.parametrize(("scheme", "number"), VALID)
def test_published_numbers_are_valid(scheme: str, number: str) -> None:
    assert find_numbers(scheme, f"NO. {number} X") == [number]
    assert is_valid(scheme, number)


@pytest.mark.parametrize(("scheme", "number"), VALID)
def test_every_single_wrong_digit_is_found(scheme: str, number: str) -> None:
    for i, right in enumerate(number):
        for digit in "0123456789" if right.isdigit() else "":
            changed = number[:i] + digit + number[i + 1 :]
            # ISO 6346 gives 10 and 0 the same check digit, which it advises not to use
            if digit != right and scheme != "iso6346":
                assert not is_valid(scheme, changed), changed


def test_container_of_the_wrong_digit() -> None:
    assert not is_valid("iso6346", "CSQU3054384")
    assert not is_valid("iso6346", "CSQU3054373")


@pytest.mark.parametrize(
    ("scheme", "text", "found"),
    [
        ("gtin", "4 006381 333931", ["4006381333931"]),
        ("gtin", "LOT 12 4006381333931", ["4006381333931"]),
        ("gtin", "1234567", []),
        ("gtin", "", []),
        ("iso6346", "csqu 305438 3", ["CSQU3054383"]),
        ("iso6346", "CSQX3054383", []),
        ("vin", "VIN: 1M8GDM9AXKP042788", ["1M8GDM9AXKP042788"]),
        ("vin", "1M8GDM9AXKP04278O", []),
        ("luhn", "7992-7398-713", ["79927398713", "7992", "7398"]),
        ("luhn", "12", []),
    ],
)
def test_finds_numbers_in_lines(scheme: str, text: str, found: list[str]) -> None:
    assert find_numbers(scheme, text) == found


def test_schemes_are_the_documented_ones() -> None:
    assert list(SCHEMES) == ["gtin", "iso6346", "vin", "luhn"]
