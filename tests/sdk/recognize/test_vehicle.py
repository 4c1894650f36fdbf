from __future__ import annotations

from random import Random

import pytest

from sdk.recognize.vehicle import check_digit, count, has_check_digit, variants
from training.synth.vin import sample_vin

# numbers that texts about check digits show as examples
RIGHT = ("1M8GDM9AXKP042788", "5GZCZ43D13S812715", "1HGCM82633A004352")


@pytest.mark.parametrize("number", RIGHT)
def test_a_check_digit(number: str) -> None:
    assert has_check_digit(number)
    assert number[8] == check_digit(number)
    assert not has_check_digit(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_numbers_of_a_text() -> None:
    assert count(f"VIN {RIGHT[0]}, *{RIGHT[1]}*") == (2, 2)
    assert count(RIGHT[0][:8] + "0" + RIGHT[0][9:]) == (1, 0)
    assert count(RIGHT[0].replace("0", "O")) == (1, 0)  # whatever was printed
    assert count(RIGHT[0] + "7") == (0, 0)  # part of something longer
    assert count("DK8GDM9AXKP042788") == (0, 0)  # a country code that is not assigned
    assert count("1M8GDM9AXKP04278B") == (0, 0)  # serial numbers end with digits
    assert count("12345678901234567") == (0, 0)  # a number of another kind
    assert count("INTERNATIONAL1999") == (0, 0)


def test_generated_numbers_are_well_formed() -> None:
    rng = Random(3)
    texts = [sample_vin(rng) for _ in range(300)]
    assert sum(count(text)[0] == 1 for text in texts) >= 295


def test_signs_around_a_number_are_left_out() -> None:
    number = RIGHT[0]
    for seen in (f"Y{number}", f"{number}X", f"B{number}8"):
        assert number in variants(seen)
    assert f"VIN {number}%" in variants(f"VIN E{number}%")
    assert not variants("LOT 24A001 EXP 2027")
    assert number not in variants(f"ABCD{number}")


@pytest.mark.parametrize("seen", ["1M8GDM9AXKPO42788", "LM8GDM9AXKP042788", "1M8GDM9AXKPD42788"])
def test_a_similar_character_is_changed_to_the_right_check_digit(seen: str) -> None:
    assert "1M8GDM9AXKP042788" in variants(seen)
    assert "1M8GDM9AXKP042788" in variants(f"Y{seen}")


def test_no_further_characters_change() -> None:
    assert "1M8GDM9AXKP042788" not in variants("LM8GDM9AXKPD42788")
    assert "1M8GDM9AXKP042788" not in variants("1M8GDM9AXKP042188")  # 1 and 7 are not similar


def test_letters_beyond_ascii_belong_to_no_number() -> None:
    for letter in "\u0130\u0131\u017f\u212a\u00e9":
        assert variants(f"{letter}{RIGHT[0]}") == []
        assert count(f"{letter}{RIGHT[0]}") == (1, 1)


def test_a_number_of_another_check_digit_may_be_one() -> None:
    """Without the right check digit, which few countries ask for, a number stays possible."""
    seen = RIGHT[1][:8] + "0" + RIGHT[1][9:]
    assert seen in variants(f"Y{seen}")
    assert seen not in variants(seen)
