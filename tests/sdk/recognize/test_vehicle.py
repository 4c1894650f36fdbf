from __future__ import annotations

from random import Random

import pytest

from sdk.recognize.vehicle import check_digit, has_check_digit, numbers, variants
from training.synth.vin import sample_vin

# numbers that texts about check digits show as examples
RIGHT = ("1M8GDM9AXKP042788", "5GZCZ43D13S812715", "1HGCM82633A004352")


@pytest.mark.parametrize("number", RIGHT)
def test_a_check_digit(number: str) -> None:
    assert has_check_digit(number)
    assert number[8] == check_digit(number)
    assert not has_check_digit(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_numbers_of_a_text() -> None:
    assert numbers(f"VIN {RIGHT[0]}, *{RIGHT[1]}*") == list(RIGHT[:2])
    assert numbers(RIGHT[0] + "7") == []  # part of something longer
    assert numbers("DK8GDM9AXKP042788") == []  # a country code that is not assigned
    assert numbers("1M8GDM9AXKP04278B") == []  # serial numbers end with digits
    assert numbers("12345678901234567") == []  # a number of another kind
    assert numbers("INTERNATIONAL1999") == []


def test_generated_numbers_are_well_formed() -> None:
    rng = Random(3)
    texts = [sample_vin(rng) for _ in range(300)]
    assert sum(len(numbers(text)) == 1 for text in texts) >= 295


def test_signs_around_a_number_are_left_out() -> None:
    number = RIGHT[0]
    for seen in (f"Y{number}", f"{number}X", f"B{number}8"):
        assert number in variants(seen)
    assert f"VIN {number}%" in variants(f"VIN E{number}%")
    assert not variants("LOT 24A001 EXP 2027")
    assert number not in variants(f"ABCD{number}")


def test_letters_that_no_number_has_become_digits() -> None:
    assert RIGHT[0] in variants(RIGHT[0].replace("0", "O"))


@pytest.mark.parametrize("seen", ["1M8G0M9AXKPO42788", "LM8GDM9AXKP042788", "1M8GDM9AXKPD42788"])
def test_similar_characters_are_changed_to_the_right_check_digit(seen: str) -> None:
    assert "1M8GDM9AXKP042788" in variants(seen)


def test_no_more_than_two_characters_change() -> None:
    assert "1M8GDM9AXKP042788" not in variants("LM8G0M9AXKPD42788")
    assert "1M8GDM9AXKP042788" not in variants("1M8GDM9AXKP042188")  # 1 and 7 only are similar


def test_a_well_formed_number_may_be_none() -> None:
    """Without the right check digit, which few countries ask for, a number stays possible."""
    seen = RIGHT[1][:8] + "0" + RIGHT[1][9:]
    assert numbers(seen) == [seen]
    assert seen not in variants(seen)
