"""Pixels between pixels: the stated rule, and strips that are the same in every OpenCV."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from sdk.geometry import distances_to_quads, quad_points
from sdk.rectify.band import Band, cut_band
from sdk.rectify.crop import rectify
from sdk.rectify.sample import sample, straighten

# Noise from whole numbers alone: the same on every machine.
PICTURE = (np.arange(300 * 400 * 3, dtype=np.uint64) ** 2 // 7 % 251).astype(np.uint8)
PICTURE = PICTURE.reshape(300, 400, 3)


def by_the_rule(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Nearest 1/32 pixel, weights in whole numbers, halves up."""
    height, width = image.shape[:2]
    column, row = (np.rint((at - 0.5) * 32).astype(int) for at in (x, y))
    a, b = (column % 32)[..., None], (row % 32)[..., None]

    def color(right: int, down: int) -> np.ndarray:
        i, j = np.clip(row // 32 + down, 0, height - 1), np.clip(column // 32 + right, 0, width - 1)
        return image[i, j].astype(int)

    upper = (32 - a) * color(0, 0) + a * color(1, 0)
    lower = (32 - a) * color(0, 1) + a * color(1, 1)
    return ((32 - b) * upper + b * lower + 512) // 1024


@pytest.mark.parametrize("width", [1, 7, 8, 33, 640])
def test_colors_follow_the_rule(width: int) -> None:
    rng = np.random.default_rng(width)
    x, y = rng.uniform(-40, 440, (32, width)), rng.uniform(-40, 340, (32, width))
    x[:, ::5], y[:, ::3] = np.round(x[:, ::5]), np.round(y[:, ::3]) + 1 / 64
    assert np.array_equal(sample(PICTURE, x, y), by_the_rule(PICTURE, x, y))


def test_strips_are_the_same_in_every_opencv() -> None:
    """A version of OpenCV, or a machine, that gives others changes what is read."""
    seen = hashlib.sha256()
    # directions whose sine and cosine are short numbers, which no mathematical library rounds
    for direction in ((1.0, 0.0), (0.96, 0.28), (0.6, -0.8), (-0.28, 0.96), (-1.0, 0.0)):
        for half in (5.5, 16.0, 30.5):
            quad = distances_to_quads((190.3, 152.8), direction, (131.0, 129.0), (half, half))
            seen.update(rectify(PICTURE, quad, 1024).tobytes())
            bent = quad + np.array([[3, 0], [0, -5], [2, 4], [-6, 1]], np.float32)
            seen.update(rectify(PICTURE, bent, 256, 1.2).tobytes())
        band = Band(0.2, 0.7, 0.5 * direction[1], 0.1)
        seen.update(cut_band(PICTURE, band, 0.1, 1.2, 512).tobytes())
    expected = "129c67199e2e5a3dba8d285cb5bf88859a9f428b1edef14e79305cd240ce81a6"
    assert seen.hexdigest() == expected


def test_positions_of_a_quad_in_perspective() -> None:
    quad = np.array([[20, 30], [200, 10], [260, 190], [5, 120]], np.float32)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(square, quad)
    u, v = np.linspace(-0.1, 1.1, 9), np.linspace(0, 1, 5)[:, None]
    shares = np.stack(np.broadcast_arrays(u, v), -1).reshape(-1, 1, 2)
    expected = cv2.perspectiveTransform(shares, matrix).reshape(5, 9, 2)
    np.testing.assert_allclose(np.stack(quad_points(quad, u, v), -1), expected, atol=1e-4)


def test_wide_pictures_are_straightened_in_pieces() -> None:
    quad = np.array([[3, 2], [390, 40], [380, 290], [10, 200]], np.float32)
    whole = straighten(PICTURE, quad, 2000, 40)
    u, v = (np.arange(2000) + 0.5) / 2000, (np.arange(40) + 0.5) / 40
    assert np.array_equal(whole, sample(PICTURE, *quad_points(quad, u, v[:, None])))
