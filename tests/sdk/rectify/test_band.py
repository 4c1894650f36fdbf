"""Bands of crops: found, and straightened to strips."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sdk.metrics import letters_and_digits
from sdk.model.bundle import DEFAULT_BUNDLE
from sdk.reader import Reader
from sdk.rectify.band import Band, cut_band, find_band

GROUND, INK = (225, 220, 210), (40, 45, 60)


def middle_line(band: Band, height: int, width: int) -> np.ndarray:
    """Return points (n, 2) of the middle of a band."""
    u = np.linspace(0, 1, 200)
    return np.stack([u * width, band.middle(u) * height], -1)


def written(band: Band, height: int, width: int, text: str = "LOT 8362 B") -> np.ndarray:
    """Return a picture with text from edge to edge of a band, under the edge of a frame."""
    line = np.full((200, 1200, 3), GROUND, np.uint8)
    cv2.putText(line, text, (20, 150), cv2.FONT_HERSHEY_SIMPLEX, 3, INK, 8, cv2.LINE_AA)
    rows, columns = np.nonzero((line != GROUND).any(2))
    line = line[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    flat = cv2.resize(line, (1000, 100), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    thick = (band.bottom - band.top) * height
    rows = (y - band.middle(x / width) * height + thick / 2) / thick * 100
    picture = cv2.remap(
        flat, x / width * 1000, rows.astype(np.float32), cv2.INTER_LINEAR, borderValue=GROUND
    )
    cv2.line(picture, (0, 3), (width, 3), (120, 120, 120), 2)
    return np.asarray(picture, np.uint8)


@pytest.mark.parametrize(
    "band",
    [
        Band(0.3, 0.75),
        Band(0.05, 0.5),
        Band(0.35, 0.65, rise=0.3),
        Band(0.3, 0.7, rise=-0.5),
        Band(0.3, 0.7, bow=0.3),
        Band(0.3, 0.7, rise=0.2, bow=-0.3),
    ],
)
@pytest.mark.parametrize(("height", "width"), [(60, 200), (240, 500)])
def test_text_is_found(band: Band, height: int, width: int) -> None:
    found = find_band(written(band, height, width), bent=band.bow != 0)
    assert (found.top, found.bottom) == pytest.approx((band.top, band.bottom), abs=0.06)
    assert found.rise == pytest.approx(band.rise, abs=0.1)
    assert found.bow == pytest.approx(band.bow, abs=0.1)


def test_lines_that_may_not_bend_are_straight() -> None:
    picture = written(Band(0.3, 0.7, bow=0.3), 100, 240)
    assert find_band(picture).bow == 0
    assert find_band(picture, bent=True).bow > 0.1


def test_pictures_without_text_have_a_band_too() -> None:
    for height, width in ((1, 1), (1, 9), (9, 1), (40, 900)):
        band = find_band(np.full((height, width, 3), 90, np.uint8), bent=True)
        assert 0 <= band.top < band.bottom <= 1


@pytest.mark.parametrize("bow", [0.3, -0.3, 0.0])
@pytest.mark.parametrize("rise", [0.0, 0.3, -0.3])
@pytest.mark.parametrize(("height", "width"), [(50, 160), (90, 160), (300, 480)])
def test_the_middle_line_becomes_straight(bow: float, rise: float, height: int, width: int) -> None:
    band = Band(0.3, 0.7, rise, bow)
    picture = np.zeros((height, width, 3), np.uint8)
    points = np.round(16 * (middle_line(band, height, width) - 0.5)).astype(np.int32)
    cv2.polylines(picture, [points], False, (255, 255, 255), 1 + height // 32, cv2.LINE_AA, 4)
    strip = cut_band(picture, band, 0.0, 1.0, 1024)
    assert strip.shape[0] == 32 and strip.dtype == np.uint8
    light = strip[..., 0].astype(float)[:, 4:-4]
    rows = (light * np.arange(32)[:, None]).sum(0) / light.sum(0)
    assert np.abs(rows - 15.5).max() < 0.8


def test_what_stands_upright_on_the_line_stands_upright() -> None:
    height, width, band = 120, 240, Band(0.3, 0.7, bow=0.4)
    points = middle_line(band, height, width)
    along = np.gradient(points, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], -1) / np.linalg.norm(along, axis=1)[:, None]
    picture = np.zeros((height, width, 3), np.uint8)
    for i in (30, 100, 170):
        ends = np.stack([points[i] - 20 * across[i], points[i] + 20 * across[i]]) - 0.5
        start, end = np.round(16 * ends).astype(int)
        cv2.line(picture, start.tolist(), end.tolist(), (255, 255, 255), 3, cv2.LINE_AA, 4)
    light = cut_band(picture, band, 0.0, 1.0, 1024)[8:24, :, 0].astype(float)
    third = light.shape[1] // 3
    for part in (light[:, i * third : (i + 1) * third] for i in range(3)):
        columns = (part * np.arange(third)).sum(1) / part.sum(1)
        assert np.ptp(columns) < 1.5


def test_sides_and_stretch_widen_the_strip() -> None:
    picture, band = np.zeros((40, 200, 3), np.uint8), Band(0.25, 0.75)
    assert cut_band(picture, band, 0.0, 1.0, 1024).shape == (32, 320, 3)
    assert cut_band(picture, band, 0.5, 1.0, 1024).shape == (32, 352, 3)
    assert cut_band(picture, band, 0.0, 1.2, 1024).shape == (32, 384, 3)
    assert cut_band(picture, band, 0.0, 1.0, 256).shape == (32, 256, 3)


def test_quad_surrounds_what_is_cut() -> None:
    quad = Band(0.25, 0.75, rise=0.5).quad(0.0, 200, 40)
    assert quad.tolist() == [[0, 20], [200, 0], [200, 20], [0, 40]]
    wider = Band(0.25, 0.75).quad(0.5, 200, 40)
    assert wider.tolist() == [[-10, 10], [210, 10], [210, 30], [-10, 30]]


def test_long_and_tiny_pictures() -> None:
    band = Band(0.2, 0.9, 0.5, -0.25)
    assert cut_band(np.zeros((40, 4000, 3), np.uint8), band, 0.1, 1.0, 512).shape == (32, 512, 3)
    for height, width in ((1, 1), (1, 5), (5, 1)):
        one = np.full((height, width, 3), 7, np.uint8)
        assert (cut_band(one, band, 0.1, 1.0, 512) == 7).all()


@pytest.mark.parametrize("bow", [1, -1])
def test_the_default_model_reads_text_round_a_cap(bow: int) -> None:
    flat = np.full((60, 300, 3), 235, np.uint8)
    face = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(flat, "EXP 2027", (12, 45), face, 1.7, (30, 30, 40), 5, cv2.LINE_AA)
    # round a circle of radius 200 px at the middle of the flat text
    y, x = np.mgrid[:110, :280].astype(np.float32)
    down = y if bow > 0 else 109 - y
    dx, dy = x - 140, 230 - down
    column = 150 + 200 * np.arctan2(dx, dy)
    row = (230 - np.hypot(dx, dy)) * bow + (0 if bow > 0 else 60)
    bent = cv2.remap(flat, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    with Reader(DEFAULT_BUNDLE, threads=1) as reader:
        assert letters_and_digits(reader.read_line(bent).text) == "EXP2027"


@pytest.mark.parametrize("quarters", [0, 1, 3])
def test_the_box_of_small_text_lies_on_it(quarters: int) -> None:
    """A crop that is mostly ground is read along its band, and the box says where that is."""
    upright = written(Band(0.55, 0.85), 160, 330)
    picture = np.ascontiguousarray(np.rot90(upright, -quarters))
    with Reader(DEFAULT_BUNDLE, threads=1) as reader:
        line = reader.read_line(picture)
    assert letters_and_digits(line.text) == "LOT8362B"
    middle = np.mean(line.quad, axis=0)
    # where the middle of the band lies in the turned picture
    mark = np.zeros(upright.shape[:2], np.uint8)
    mark[112, 165] = 1
    (row,), (column,) = np.nonzero(np.rot90(mark, -quarters))
    assert middle == pytest.approx((column, row), abs=20)
