"""What the survey of a product's photos measures, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sdk import Reader
from sdk.charset import DEFAULT_CHARSET
from training.errors import TrainingError
from training.specialize.measure import BAND_PX, TEXT_PX, InkMeasures, measure_ink
from training.specialize.prints import DOTS, OUTLINE, rank_prints
from training.specialize.product import ProductGenerator
from training.specialize.survey import ProductLine, paint_over, survey
from training.synth.fonts import FontLibrary, default_library
from training.synth.pattern_texts import PatternTexts
from training.synth.pens import dot_matrix, outline

PHOTO = Path(__file__).parents[3] / "docs" / "photo.jpg"
PATTERN = "LOT [0-9]{2}[A-Z][0-9]{3}"


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(threads=1) as opened:
        yield opened


def drawn_line(
    *, dots: bool = False, dark: bool = True, blur: float = 0.0, slant: float = 0.0
) -> ProductLine:
    """A band with a text in a known print, as the survey finds it."""
    rng = np.random.default_rng(0)
    if dots:
        ink = dot_matrix.draw("LOT 26A417", TEXT_PX, rng, style=dot_matrix.DotStyle(radius=0.5))
    else:
        face = next(f for f in default_library().faces if f.kind == "sans" and not f.italic)
        style = outline.OutlineStyle(slant=slant)
        ink = outline.draw("LOT 26A417", TEXT_PX, rng, face=face, style=style)
    m, half = ink.margin, TEXT_PX // 2
    mask = cv2.resize(ink.mask[m:-m, m:-m], (ink.mask.shape[1] - 2 * m, TEXT_PX))
    coverage = np.pad(mask, half).astype(np.float32)[..., None] / 255
    ground, print_ = (200, 60) if dark else (60, 200)
    pixels = ground + (print_ - ground) * coverage + rng.normal(0, 2, (*coverage.shape[:2], 3))
    if blur:
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur)
    band = np.clip(pixels, 0, 255).astype(np.uint8)
    measures = measure_ink(band)
    assert measures is not None
    cells = tuple((float(a) - m + half, float(b) - m + half) for a, b in ink.chars[:, [0, 2]])
    return ProductLine("a.png", ink.text, 1.0, 48.0, band, paint_over(band), measures, cells, True)


@pytest.mark.parametrize("dark", [True, False])
def test_contrast_has_the_sign_of_the_ink(dark: bool) -> None:
    ink = drawn_line(dark=dark).ink
    assert ink.contrast == pytest.approx(-140 if dark else 140, abs=15)
    assert ink.color == pytest.approx(ink.contrast, abs=10)


def test_blur_slant_and_noise_are_measured() -> None:
    sharp, soft = drawn_line(), drawn_line(blur=3.0)
    assert sharp.ink.blur < 1.5 / TEXT_PX
    assert soft.ink.blur == pytest.approx(3.0 / TEXT_PX, rel=0.45)
    assert drawn_line(slant=0.25).ink.slant - sharp.ink.slant == pytest.approx(0.25, abs=0.08)
    assert sharp.ink.noise == pytest.approx(2, abs=1.5)


def test_a_band_without_ink_has_no_measures() -> None:
    assert measure_ink(np.full((BAND_PX, 200, 3), 128, np.uint8)) is None


def test_the_ink_is_painted_over() -> None:
    line = drawn_line()
    assert int(line.band.min()) < 80
    assert int(np.percentile(line.ground, 1)) > 180


def test_the_print_of_a_line_is_recognized() -> None:
    fonts = default_library()
    some = FontLibrary.__new__(FontLibrary)
    some.faces = fonts.faces[:60]
    dots, outlines = (rank_prints([drawn_line(dots=x)], some) for x in (True, False))
    assert (dots[0].kind, dots[0].grid) == (DOTS, (5, 7))
    assert outlines[0].kind == OUTLINE
    assert outlines[0].likeness > 0.8
    assert {each.kind for each in rank_prints([drawn_line()], some, DOTS)} == {DOTS}


@pytest.mark.parametrize("dots", [True, False])
def test_generated_lines_are_of_the_product_and_legible(reader: Reader, dots: bool) -> None:
    line, texts = drawn_line(dots=dots), PatternTexts([PATTERN], DEFAULT_CHARSET)
    some = FontLibrary.__new__(FontLibrary)
    some.faces = default_library().faces[:60]
    generator = ProductGenerator([line], rank_prints([line], some), texts)
    made = [generator.line(i) for i in range(24)]
    assert all(np.array_equal(generator.line(i)[0], made[i][0]) for i in (0, 7))
    assert all(texts.matches(text) and image.shape[0] == 32 for image, text in made)
    right = [reader.read_line(image, pattern=PATTERN).text == text for image, text in made]
    assert np.mean(right) > 0.5


def test_the_lines_of_a_photo_are_found_with_their_measures(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    Image.open(PHOTO).save(tmp_path / "inner" / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    said: list[str] = []
    found = survey(reader, tmp_path, [PATTERN], said.append)
    [line] = found.lines
    assert (line.text, line.photo, found.photos) == ("LOT 26A417", "a.png", 1)
    assert found.unreadable == ("b.jpg",)
    assert "HYDROLINE" in found.others
    assert isinstance(line.ink, InkMeasures)
    assert line.ink.contrast < -20
    assert len(line.cells) == len(line.text)
    assert all(a < b for a, b in line.cells)
    assert "1 fit" in said[-1]


def blank() -> NDArray[np.uint8]:
    return np.full((200, 300, 3), 90, np.uint8)


@pytest.mark.parametrize(
    ("pictures", "pattern", "message"),
    [
        (None, PATTERN, "There is no folder"),
        ([], PATTERN, "holds no picture"),
        (["bad"], PATTERN, "holds no photo that can be read: bad.png"),
        (["blank"], PATTERN, "show no text"),
        (["photo"], "XYZ [0-9]{9}", "No line of the 1 photos fits the pattern.*HYDROLINE"),
    ],
)
def test_photos_that_show_no_product_are_refused(
    reader: Reader, tmp_path: Path, pictures: list[str] | None, pattern: str, message: str
) -> None:
    folder = tmp_path / "photos"
    if pictures is not None:
        folder.mkdir()
        (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    for name in pictures or []:
        target = folder / f"{name}.png"
        if name == "bad":
            target.write_bytes(b"?")
        else:
            shown = Image.open(PHOTO) if name == "photo" else Image.fromarray(blank())
            shown.save(target)
    with pytest.raises(TrainingError, match=message):
        survey(reader, folder, [pattern])
