"""Characters outside the caller's charset are marked, not bent into allowed ones in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from sdk import Reader
from sdk.charset import Charset
from sdk.recognize.decoder import TextDecoder
from sdk.recognize.options import ReadOptions

AB6 = Charset("AB6")
PHOTO = Path(__file__).parents[3] / "docs" / "photo.jpg"


def logits(*columns: tuple[float, float, float, float]) -> np.ndarray:
    """Return the logarithms of probabilities of blank, A, B and 6."""
    return np.log(np.array(columns, np.float32))


SEEN = logits((0.01, 0.97, 0.01, 0.01), (0.98, 0.01, 0.005, 0.005), (0.005, 0.005, 0.97, 0.02))


@pytest.mark.parametrize(
    ("allowed", "text", "foreign"),
    [(None, "AB", ()), ("AB", "AB", (False, False)), ("A6", "A6", (False, True))],
)
def test_a_character_that_the_charset_excludes_is_foreign(
    allowed: str | None, text: str, foreign: tuple[bool, ...]
) -> None:
    decoder = TextDecoder(AB6, foreign_below=0.03)
    free = decoder.decode(SEEN, ReadOptions.of(AB6, allowed, 0)).free
    assert (free.text, free.foreign) == (text, foreign)


def test_the_text_of_a_pattern_is_marked_too() -> None:
    options = ReadOptions.of(AB6, "A6", 0, "A6")
    fit = TextDecoder(AB6, foreign_below=0.03).decode(SEEN, options).fit
    assert fit is not None
    assert (fit.text.text, fit.text.foreign) == ("A6", (False, True))


def test_zero_marks_nothing() -> None:
    free = TextDecoder(AB6).decode(SEEN, ReadOptions.of(AB6, "A6", 0)).free
    assert free.foreign == (False, False)


def test_letters_read_as_digits_are_unknown() -> None:
    with Reader(threads=1) as reader:
        reading = reader.read(PHOTO, charset="0123456789 -")
        plain = reader.read(PHOTO)
    marked = ["".join("?" if c.unknown else c.text for c in line.chars) for line in reading]
    assert {"02000123456782", "? 114-2086", "?? 26?417", "? 2029-08-31"} <= set(marked)
    assert not any(line.unknown for line in plain)


@pytest.mark.parametrize(("text", "marked"), [("27 C", "27?"), ("417 kg", "417 ?")])
def test_letters_after_digits_are_unknown(text: str, marked: str) -> None:
    picture = Image.new("RGB", (180, 60), "white")
    ImageDraw.Draw(picture).text((14, 8), text, "black", ImageFont.load_default(34))
    with Reader(threads=1) as reader:
        line = reader.read_line(np.array(picture), charset="0123456789 ")
    assert "".join("?" if c.unknown else c.text for c in line.chars) == marked
