from __future__ import annotations

import numpy as np
import pytest

from demo_app.models.picture import Box, boxes_of, crop_line, hit, place, scaled
from sdk.results import Reading, TextLine

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


def test_boxes_are_shares_of_the_picture() -> None:
    line = TextLine("A", 0.95, ((10, 20), (50, 20), (50, 40), (10, 40)))
    (box,) = boxes_of(Reading((line,), 100, 200))
    assert box.quad == ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))
    assert box.text == "A"


def test_small_picture_is_not_enlarged() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    assert scaled(picture, 100, 100) is picture


@pytest.mark.parametrize(
    ("size", "wanted"), [((600, 800), (75, 100)), ((800, 600), (100, 75)), ((4000, 1), (100, 1))]
)
def test_large_picture_keeps_its_shape(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert scaled(np.zeros((*size, 3), np.uint8), 100, 100).shape[:2] == wanted


def test_turned_line_is_cut_out_level() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[50:150, 90:110] = 255
    # reading goes downwards: the line starts at the top
    line = TextLine("A", 1.0, ((110, 50), (110, 150), (90, 150), (90, 50)))
    crop = crop_line(picture, line, 40)
    assert crop.shape[0] == 40 and crop.shape[1] > 3 * 40
    assert crop[20, crop.shape[1] // 2].tolist() == [255, 255, 255]


def test_line_outside_the_picture_can_be_cut_out() -> None:
    line = TextLine("A", 1.0, ((-50, -50), (-10, -50), (-10, -40), (-50, -40)))
    assert crop_line(np.zeros((20, 20, 3), np.uint8), line).shape[0] == 48


def test_whole_picture_fits_its_area() -> None:
    assert place((200, 100), (10, 20, 400, 400)) == (10, 120, 400, 200)


def test_zoomed_picture_has_its_point_in_the_middle() -> None:
    x, y, width, height = place((100, 100), (0, 0, 200, 200), 2.0, (0.25, 0.75))
    assert (width, height) == (400, 400)
    assert x + 0.25 * width == 100
    assert y + (1 - 0.75) * height == 100


def test_touch_hits_the_box_it_is_in() -> None:
    boxes = [
        Box(((0, 0), (0.1, 0), (0.1, 0.1), (0, 0.1)), "", (0, 0, 0)),
        Box(SQUARE, "", (0,) * 3),
    ]
    assert hit(boxes, (0.5, 0.5)) == 1
    assert hit(boxes, (0.05, 0.05)) == 0
    assert hit(boxes, (0.9, 0.9)) == -1
    assert hit([], (0.5, 0.5)) == -1
