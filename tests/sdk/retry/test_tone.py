from __future__ import annotations

import numpy as np
import pytest

from sdk.errors import ModelError
from sdk.model.views import PartView, parse_views, plain_views
from sdk.retry.sources import CropLine
from sdk.retry.tone import toned

RNG = np.random.default_rng(5)
PIXELS = RNG.integers(0, 256, (32, 90, 3), dtype=np.uint8)


def test_the_green_channel_alone() -> None:
    green = toned(PIXELS, "green")
    for channel in range(3):
        np.testing.assert_array_equal(green[..., channel], PIXELS[..., 1])


def test_soft_is_gray_and_without_noise() -> None:
    soft = toned(PIXELS, "soft")
    assert soft.shape == PIXELS.shape
    assert soft.dtype == np.uint8
    np.testing.assert_array_equal(soft[..., 0], soft[..., 2])
    assert soft.std() < 0.5 * PIXELS.std()
    assert abs(soft.mean() - PIXELS.mean()) < 4


def test_color_is_unchanged() -> None:
    assert toned(PIXELS, "color") is PIXELS


@pytest.mark.parametrize("kind", ["part", "band"])
def test_a_view_in_a_tone_shows_the_same_place(kind: str) -> None:
    views = parse_views([{kind: {}}, {kind: {"tone": "green"}}])
    line = CropLine(RNG.integers(0, 256, (40, 200, 3), dtype=np.uint8))
    plain, green = (line.crop(line.place(view), lambda width: width) for view in views)
    np.testing.assert_array_equal(green.area, plain.area)
    np.testing.assert_array_equal(green.pixels, toned(plain.pixels, "green"))
    assert line.place(views[0]) != line.place(views[1])


def test_an_unknown_tone_is_refused() -> None:
    with pytest.raises(ModelError, match=r"tone.*one of color, green, soft"):
        parse_views([{"part": {"tone": "sepia"}}])


def test_the_json_form_keeps_the_tone() -> None:
    view = PartView(pitch=16.0, tone="soft")
    assert plain_views([view]) == [{"part": {"pitch": 16.0, "tone": "soft"}}]
    scaled = view.scaled(20.0)
    assert scaled is not None
    assert scaled.tone == "soft"


def test_without_colors_the_green_channel_is_the_picture_itself() -> None:
    gray = np.repeat(PIXELS[..., :1], 3, 2)
    plain, green = PartView(pitch=16.0), PartView(pitch=16.0, tone="green")
    assert CropLine(gray).place(green) == plain
    assert CropLine(PIXELS).place(green) == green
    gray[5, 7, 2] ^= 1
    assert CropLine(gray).place(green) == green
    assert CropLine(gray).place(PartView(tone="soft")) == PartView(tone="soft")
