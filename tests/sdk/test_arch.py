"""Arches straightened to strips."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sdk.image.arch import Arch, unbend
from sdk.model.bundle import DEFAULT_BUNDLE
from sdk.reader import Reader

from .test_default_bundle import letters_and_digits


def middle_line(arch: Arch, height: int, width: int) -> np.ndarray:
    """Return points (n, 2) of the middle of a line that just fits into the picture."""
    u = np.linspace(0, 1, 200)
    y = arch.bow * (2 * u - 1) ** 2 - arch.rise * u
    y = 0.5 + y - (y.max() + y.min()) / 2
    return np.stack([u * width, y * height], -1)


@pytest.mark.parametrize("bow", [0.4, -0.4, 0.25])
@pytest.mark.parametrize("rise", [0.0, 0.5, -0.5])
@pytest.mark.parametrize(("height", "width"), [(50, 160), (90, 160), (300, 480)])
def test_the_middle_line_becomes_straight(bow: float, rise: float, height: int, width: int) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    points = np.round(16 * (middle_line(Arch(bow, rise), height, width) - 0.5)).astype(np.int32)
    cv2.polylines(picture, [points], False, (255, 255, 255), 1 + height // 32, cv2.LINE_AA, 4)
    strip = unbend(picture, Arch(bow, rise), 1024)
    assert strip.shape[0] == 32 and strip.dtype == np.uint8
    light = strip[..., 0].astype(float)[:, 4:-4]
    rows = (light * np.arange(32)[:, None]).sum(0) / light.sum(0)
    assert np.abs(rows - 15.5).max() < 0.8


def test_what_stands_upright_on_the_arch_stands_upright() -> None:
    height, width, arch = 120, 240, Arch(0.4)
    points = middle_line(arch, height, width)
    along = np.gradient(points, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], -1) / np.linalg.norm(along, axis=1)[:, None]
    picture = np.zeros((height, width, 3), np.uint8)
    for i in (30, 100, 170):
        ends = np.stack([points[i] - 25 * across[i], points[i] + 25 * across[i]]) - 0.5
        start, end = np.round(16 * ends).astype(int)
        cv2.line(picture, start.tolist(), end.tolist(), (255, 255, 255), 3, cv2.LINE_AA, 4)
    light = unbend(picture, arch, 1024)[8:24, :, 0].astype(float)
    assert light.shape[1] > 3 * 32
    third = light.shape[1] // 3
    for part in (light[:, i * third : (i + 1) * third] for i in range(3)):
        columns = (part * np.arange(third)).sum(1) / part.sum(1)
        assert np.ptp(columns) < 1.5


def test_long_and_tiny_pictures() -> None:
    assert unbend(np.zeros((40, 4000, 3), np.uint8), Arch(0.4), 512).shape == (32, 512, 3)
    for height, width in ((1, 1), (1, 5), (5, 1)):
        one = np.full((height, width, 3), 7, np.uint8)
        assert (unbend(one, Arch(-0.25, 0.5), 512) == 7).all()


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
