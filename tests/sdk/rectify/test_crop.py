"""Strips cut out of pictures."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from sdk.geometry import box_quads, side_lengths
from sdk.rectify.band import Band, cut_band
from sdk.rectify.crop import expand_quad, pad_crops, rectify, scale_crop


def smooth_picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width] + 0.5
    waves = [127 + 100 * np.sin(x / 17 + k) * np.cos(y / 23 - k) for k in range(3)]
    return np.stack(waves, -1).astype(np.uint8)


@pytest.mark.parametrize("turn", [0, 0.3, math.pi / 2, math.pi, -2])
@pytest.mark.parametrize("height", [20, 32, 40])
def test_strip_shows_what_lies_under_the_quad(turn: float, height: float) -> None:
    picture = smooth_picture(400, 400)
    quad = box_quads((200, 200), 5 * height, height, turn)
    strip = rectify(picture, quad, 1024)
    assert strip.shape == (32, 160, 3)
    for i, j in [(0, 0), (16, 80), (31, 159), (5, 120)]:
        s, t = (j + 0.5) / 160, (i + 0.5) / 32
        x, y = quad[0] + s * (quad[1] - quad[0]) + t * (quad[3] - quad[0])
        # cv2 counts pixel centers from 0
        expected = cv2.getRectSubPix(picture, (1, 1), (float(x) - 0.5, float(y) - 0.5))[0, 0]
        assert np.abs(strip[i, j].astype(int) - expected).max() <= 4


def test_large_lines_are_shrunk_without_aliasing() -> None:
    picture = np.zeros((600, 900, 3), np.uint8)
    picture[:, ::2] = 255  # stripes one pixel wide
    strip = rectify(picture, box_quads((450, 300), 800, 256, 0), 1024)
    assert np.abs(strip.astype(int) - 127).max() < 30


def test_unturned_line_of_strip_height_is_copied() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (80, 200, 3), dtype=np.uint8)
    quad = np.array([[20, 10], [150, 10], [150, 42], [20, 42]], np.float32)
    assert np.array_equal(rectify(picture, quad, 1024), picture[10:42, 20:150])


@pytest.mark.parametrize(("stretch", "width"), [(0.5, 80), (1.0, 160), (1.25, 200), (3.0, 256)])
def test_stretched_strips_show_the_same_line(stretch: float, width: int) -> None:
    picture = smooth_picture(400, 400)
    quad = box_quads((200, 200), 160, 32, 0.3)
    strip = rectify(picture, quad, 256, stretch)
    assert strip.shape == (32, width, 3)
    plain = cv2.resize(rectify(picture, quad, 256), (width, 32))
    assert np.abs(strip.astype(int) - plain)[:, 4:-4].max() <= 8


def test_outside_the_picture_its_edge_goes_on() -> None:
    picture = np.full((20, 40, 3), 77, np.uint8)
    for center in ((0, 10), (300, 300), (-500, 5)):
        assert (rectify(picture, box_quads(center, 60, 30, 0.2), 256) == 77).all()


@pytest.mark.parametrize("size", [(1e-3, 1e-3), (0.0, 0.0), (5000.0, 1.0), (1.0, 5000.0)])
def test_odd_quads_give_strips_within_limits(size: tuple[float, float]) -> None:
    strip = rectify(smooth_picture(50, 60), box_quads((30, 25), *size, 0.4), 256)
    assert strip.shape[0] == 32
    assert 1 <= strip.shape[1] <= 256


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(32, 100, 100), (64, 100, 50), (10, 100, 320), (20, 20_000, 512), (1, 1, 32), (500, 2, 1)],
)
def test_crops_are_scaled_to_height(height: int, width: int, expected: int) -> None:
    strip = scale_crop(np.full((height, width, 3), 9, np.uint8), 512)
    assert strip.shape == (32, expected, 3)
    assert (strip == 9).all()


def test_packed_strips_repeat_their_last_column() -> None:
    rng = np.random.default_rng(0)
    strips = [rng.integers(0, 256, (32, w, 3), dtype=np.uint8) for w in (5, 64)]
    batch = pad_crops(strips, 64)
    assert batch.shape == (2, 32, 64, 3)
    assert np.array_equal(batch[0, :, :5], strips[0])
    assert (batch[0, :, 5:] == strips[0][:, -1:]).all()
    assert np.array_equal(batch[1], strips[1])


@pytest.mark.parametrize("turn", [0, 1, -2])
def test_expanded_quad_grows_by_its_height(turn: float) -> None:
    quad = expand_quad(box_quads((50, 60), 100, 20, turn), 0.1)
    assert np.abs(quad - box_quads((50, 60), 104, 24, turn)).max() < 1e-3
    assert np.allclose(side_lengths(expand_quad(quad, 0)), side_lengths(quad))
    longer = expand_quad(box_quads((50, 60), 100, 20, turn), 0.1, 0.25)
    assert np.abs(longer - box_quads((50, 60), 114, 24, turn)).max() < 1e-3


@pytest.mark.parametrize("size", [(1, 100_000), (40, 32_767), (32_767, 40)])
def test_lines_of_any_length_are_cut(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 200, np.uint8)
    height, width = size
    quad = [[0, 0], [width, 0], [width, height], [0, height]]
    strip = rectify(image, quad, 256)
    assert strip.shape[0] == 32
    assert (strip == 200).all()
    strip = cut_band(image, Band(0.1, 0.9, 0.05), 0.1, 1.0, 256)
    assert strip.shape[0] == 32
    assert (strip == 200).all()


def test_a_line_that_is_longer_than_opencv_samples_keeps_its_places() -> None:
    image = np.zeros((8, 40_000, 3), np.uint8)
    image[:, 20_000:] = 255
    strip = rectify(image, [[0, 0], [40_000, 0], [40_000, 8], [0, 8]], 1000)
    assert strip.shape == (32, 1000, 3)
    assert strip[:, :499].max() == 0
    assert strip[:, 501:].min() == 255
