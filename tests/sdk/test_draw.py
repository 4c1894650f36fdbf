"""Drawing: boxes where the lines are, legible labels inside the picture, nothing else changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from sdk.draw import draw_reading, line_color
from sdk.errors import ImageError
from sdk.results import Quad, Reading, TextLine

GRAY = 150


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def gray(width: int, height: int) -> npt.NDArray[np.uint8]:
    return np.full((height, width, 3), GRAY, np.uint8)


def drawn(line: TextLine, width: int = 400, height: int = 300) -> npt.NDArray[np.uint8]:
    reading = Reading((line,), width, height)
    return np.asarray(draw_reading(gray(width, height), reading))


def test_box_is_on_the_quad_and_the_label_above_it() -> None:
    line = TextLine("LOT 7", 0.95, box(50, 100, 250, 140))
    picture = drawn(line)
    color = line_color(line)
    for x, y in ((50, 120), (250, 120), (150, 100), (150, 140)):
        assert tuple(picture[y, x]) == color, (x, y)
    assert tuple(picture[120, 150]) == (GRAY,) * 3
    label = picture[60:96, 40:260]
    assert (label == 255).all(axis=2).sum() > 50, "white letters"
    assert (label == np.array(color)).all(axis=2).sum() > 500, "on the color of the box"
    changed = (picture != GRAY).any(axis=2)
    changed[60:145, 45:260] = False
    assert not changed.any(), "nothing else is touched"


@pytest.mark.parametrize("size", [60, 400, 2000])
def test_letters_of_tiny_print_are_legible(size: int) -> None:
    picture = drawn(TextLine("H", 0.95, box(30, 30, 34, 32)), size, size)
    rows = np.flatnonzero(np.any(np.all(picture > 200, axis=2), axis=1))
    # Of a large picture, scaled down to a screen, they must be a fixed share.
    assert np.ptp(rows) + 1 >= max(10, size / 70)


@pytest.mark.parametrize(
    "quad",
    [
        box(0, 0, 60, 20),
        box(340, 280, 400, 300),
        box(0, 0, 400, 300),
        box(390, 0, 400, 10),
        box(-80, -80, -10, -10),
        box(500, 500, 600, 600),
    ],
)
def test_labels_stay_inside_the_picture(quad: Quad) -> None:
    picture = drawn(TextLine("EDGE 42", 0.95, quad))
    assert (picture > 200).all(axis=2).sum() > 50


@pytest.mark.parametrize("text", ["", "   ", "漢字", "a\nb\tc", "\0", "\ud800", "😀", "W" * 300])
def test_any_text_can_be_drawn(text: str) -> None:
    picture = drawn(TextLine(text, 0.5, box(50, 100, 250, 140)))
    assert tuple(picture[100, 150]) == line_color(TextLine("", 0.5, box(0, 0, 1, 1)))


def test_one_pixel_picture() -> None:
    reading = Reading((TextLine("a", 0.9, box(0, 0, 1, 1)),), 1, 1)
    assert draw_reading(gray(1, 1), reading).size == (1, 1)


def test_without_labels_only_the_box_is_drawn() -> None:
    reading = Reading((TextLine("LOT 7", 0.95, box(50, 100, 250, 140)),), 400, 300)
    picture = np.asarray(draw_reading(gray(400, 300), reading, labels=False))
    assert not (picture == 255).all(axis=2).any()
    assert (picture != GRAY).any()


def test_color_tells_the_confidence() -> None:
    colors = [line_color(TextLine("a", sure, box(0, 0, 1, 1))) for sure in (0.95, 0.7, 0.2)]
    assert len(set(colors)) == 3


def test_the_users_picture_is_left_alone() -> None:
    array = gray(400, 300)
    reading = Reading((TextLine("LOT 7", 0.95, box(50, 100, 250, 140)),), 400, 300)
    for source in (array, Image.fromarray(array)):
        image = reading.draw(source)
        assert (image.mode, image.size) == ("RGB", (400, 300))
    assert (array == GRAY).all()


def test_draws_on_files_upright_and_on_bgr(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side: 300 wide and 400 high when upright
    path = tmp_path / "photo.png"
    Image.fromarray(gray(400, 300)).save(path, exif=exif)
    assert Reading((), 300, 400).draw(path).size == (300, 400)
    blue = np.zeros((2, 2, 3), np.uint8)
    blue[:, :, 0] = 255
    assert Reading((), 2, 2).draw(blue, channels="bgr").getpixel((0, 0)) == (0, 0, 255)


def test_another_picture_is_refused() -> None:
    with pytest.raises(ImageError, match="image has 400 x 300 pixels, the reading has 300 x 400"):
        Reading((), 300, 400).draw(gray(400, 300))


@pytest.mark.parametrize("step", [26, 34, 60])
def test_no_label_covers_a_line(step: int) -> None:
    lines = tuple(
        TextLine(f"LOT {text}", 0.95, box(300, y, 420, y + 24))
        for y, text in zip(range(100, 100 + 8 * step, step), "ABCDEFGH", strict=True)
    )
    picture = np.asarray(draw_reading(gray(720, 720), Reading(lines, 720, 720)))
    for line in lines:
        (left, top), _, (right, bottom), _ = line.quad
        inside = picture[int(top) + 3 : int(bottom) - 2, int(left) + 3 : int(right) - 2]
        assert (inside == GRAY).all(), line.text
    # and each is there
    assert (picture == 255).all(axis=2).sum() > 8 * 20


def test_where_there_is_no_room_a_label_covers_its_own_line() -> None:
    below = TextLine("LOT", 0.95, box(0, 40, 100, 100))
    above = TextLine("EXP", 0.2, box(0, 0, 100, 40))
    picture = np.asarray(draw_reading(gray(100, 100), Reading((above, below), 100, 100)))
    label = (picture == np.array(line_color(above))).all(axis=2)
    rows = np.flatnonzero(label[:, 20:80].sum(axis=1) > 20)
    assert rows.max() < 42


def test_a_page_of_a_file_is_drawn_on_that_page(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (40, 30)), Image.new("RGB", (30, 40), (9, 9, 9))
    first.save(tmp_path / "scan.tif", save_all=True, append_images=[second])
    drawn_page = Reading((), 30, 40, page=2).draw(tmp_path / "scan.tif")
    assert drawn_page.getpixel((0, 0)) == (9, 9, 9)
    assert Reading((), 30, 40, page=2).draw(np.zeros((40, 30), np.uint8)).size == (30, 40)
