"""The packaged bundles beside the default one: displays, and Latin letters with accents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from sdk import Reader
from sdk.charsets import CHARSETS
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle
from training.synth.pens import segments

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def display(text: str, seed: int) -> np.ndarray:
    """Return a picture of dark segments on a light ground, uint8 (H, W, 3)."""
    mask = segments.draw(text, 40, np.random.default_rng(seed)).mask
    return np.repeat((230 - 0.8 * mask).astype(np.uint8)[:, :, None], 3, 2)


@pytest.fixture(scope="module")
def digits() -> Iterator[Reader]:
    with Reader("digits", threads=1) as reader:
        yield reader


@pytest.mark.parametrize("text", ["004217.5", "12:45", "-3.2", "000935", "88.1"])
def test_displays_are_read(digits: Reader, text: str) -> None:
    assert digits.read_line(display(text, len(text))).text == text


def test_points_of_sharp_displays_are_read(digits: Reader) -> None:
    texts = ["14.09", "7.203", "82.2", "105.6", "3.71", "-18.4"] * 6
    rng = np.random.default_rng(7)
    read = []
    for text in texts:
        mask = np.pad(segments.draw(text, 48, rng).mask, 12)[..., None] / 255
        picture = (np.array([12, 8, 8]) + mask * [218, 42, 22]).astype(np.uint8)
        read.append(digits.read_line(picture).text)
    assert sum("." in text for text in read) >= 35
    assert sum(a == b for a, b in zip(read, texts, strict=True)) >= 34


def lit_display(text: str, rng: np.random.Generator) -> np.ndarray:
    """Return a picture of red-brown segments on a lit green ground, uint8 (H, W, 3).

    The segments are darker in green, brighter in red, and hardly seen in brightness.
    """
    mask = np.pad(segments.draw(text, 60, rng).mask, ((14, 14), (20, 20)))[..., None] / 255
    ground, ink = np.array([40, 210, 90]), np.array([130, 165, 120])
    picture = cv2.GaussianBlur((ground * (1 - mask) + ink * mask).astype(np.float32), (0, 0), 1.5)
    return np.clip(picture + rng.normal(0, 9, picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("model", ["default", "digits"])
def test_lit_displays_are_read_in_their_green_channel(model: str) -> None:
    rng = np.random.default_rng(4)
    texts = ["".join(rng.choice(list("0123456789"), 6)) for _ in range(12)]
    with Reader(model, threads=1) as reader:
        read = [reader.read_line(lit_display(text, rng)).text for text in texts]
    assert sum(a == b for a, b in zip(read, texts, strict=True)) >= 11


def test_displays_are_never_turned(digits: Reader) -> None:
    picture = display("000665", 1)
    # upside down, segments are digits again: only who never turns a display reads both
    turned = np.ascontiguousarray(picture[::-1, ::-1])
    assert [digits.read_line(x).text for x in (picture, turned)] == ["000665", "599000"]


def test_digits_borrow_the_default_detector(digits: Reader) -> None:
    assert digits.describe()["detector_folder"] == str(DEFAULT_BUNDLE)
    assert Bundle.open("digits").manifest.charset == CHARSETS["digits"]


@pytest.fixture(scope="module")
def latin() -> Iterator[Reader]:
    with Reader("latin", threads=1) as reader:
        yield reader


@pytest.mark.skipif(not FONT.exists(), reason="the font DejaVu is not installed")
@pytest.mark.parametrize(
    "text",
    ["München", "Größe", "Straße", "24,90 €", "señor", "garçon", "80 µm", "très", "Frühstück"],
)
def test_accents_and_signs_are_read(latin: Reader, text: str) -> None:
    font = ImageFont.truetype(FONT, 40)
    picture = Image.new("RGB", (round(font.getlength(text)) + 24, 58), (235, 235, 235))
    ImageDraw.Draw(picture).text((12, 4), text, (30, 30, 35), font)
    assert latin.read_line(picture).text == text


def test_latin_borrows_the_default_detector(latin: Reader) -> None:
    assert latin.describe()["detector_folder"] == str(DEFAULT_BUNDLE)
    assert Bundle.open("latin").manifest.charset == CHARSETS["latin"]
    # the words and the language of the vote are English
    vote = Bundle.open("latin").manifest.decode.retry.vote
    assert (vote.language_weight, vote.word_bonus) == (0, 0)
