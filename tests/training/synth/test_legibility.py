"""Characters that a person can recognize, and those that noise, edges or the view hide."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sdk.rectify.crop import CROP_HEIGHT
from training.specialize.product import _LEAST_INSIDE, _LEAST_LIKENESS
from training.synth.block import Block, PrintedLine, Text, paint
from training.synth.fonts import default_library
from training.synth.legibility import inside, likeness
from training.synth.pens import outline

SIZE = (220, CROP_HEIGHT)


def printed(
    ink: int, squeeze: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)
) -> tuple[NDArray[np.float32], NDArray[np.float32], Text, float]:
    """Return a line on flat gray, its ink, its ground truth and the share of it in the picture."""

    def mark(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
        surface += np.float32(ink) * coverage[..., None]

    face = next(f for f in default_library().faces if f.kind == "sans" and not f.italic)
    drawn = outline.draw(
        "LOT 26A417", 36, np.random.default_rng(0), face=face, style=outline.OutlineStyle()
    )
    line = PrintedLine(drawn, 0.0, 0.0, mark, seed=0)
    x0, y0, _, y1 = line.box()
    scale = 22 / (y1 - y0)
    matrix = np.array(
        [
            [scale * squeeze, 0, 5 - x0 * scale * squeeze + shift[0]],
            [0, scale, 5 - y0 * scale + shift[1]],
            [0, 0, 1],
        ]
    )
    bare = np.full((CROP_HEIGHT, SIZE[0], 3), 110, np.float32)
    canvas = bare.copy()
    [text] = paint(canvas, Block([line]), matrix, legible_px=0.0)
    return canvas, canvas - bare, text, inside(line, matrix, SIZE)


def seen(picture: np.ndarray, ink: np.ndarray, text: Text) -> bool:
    image: NDArray[np.uint8] = np.clip(picture, 0, 255).astype(np.uint8)
    return likeness(image, ink, text.chars, text.text) >= _LEAST_LIKENESS


@pytest.mark.parametrize(
    ("contrast", "noise", "is_legible"),
    [(-20, 0, True), (20, 3, True), (-20, 25, False), (-120, 25, True), (-2, 0, False)],
)
def test_a_faint_mark_is_lost_in_noise(contrast: int, noise: int, is_legible: bool) -> None:
    picture, ink, text, _ = printed(contrast)
    grain = np.random.default_rng(1).normal(0, noise, picture.shape[:2])[..., None]
    assert seen(picture + grain, ink, text) is is_legible


@pytest.mark.parametrize("first", [True, False])
def test_every_letter_and_digit_counts(first: bool) -> None:
    picture, ink, text, _ = printed(-60)
    left, right = text.chars[0 if first else -1][:, 0][[0, 1]].astype(int)
    picture[:, left - 1 : right + 2] = 255  # glare
    assert not seen(picture, ink, text)


@pytest.mark.parametrize(("char", "is_legible"), [("T", False), ("-", True), (" ", True)])
def test_a_hidden_sign_does_not_count(char: str, is_legible: bool) -> None:
    picture, ink, text, _ = printed(-60)
    left, right = text.chars[2][:, 0][[0, 1]].astype(int)
    picture[:, left + 1 : right] = 110
    assert seen(picture, ink, replace(text, text=f"LO{char} 26A417")) is is_legible


def test_light_and_shadow_of_the_ground_do_not_count() -> None:
    picture, ink, text, _ = printed(-40)
    slope = np.linspace(-70, 70, SIZE[0], dtype=np.float32)[None, :, None]
    assert seen(picture + slope, ink, text)


def test_strokes_that_blur_together_are_illegible() -> None:
    picture, ink, text, _ = printed(-60)
    assert seen(cv2.GaussianBlur(picture, (0, 0), 0.8), ink, text)
    assert not seen(cv2.GaussianBlur(picture, (0, 0), 3.5), ink, text)


def test_the_strokes_of_a_line_seen_from_the_side_merge_earlier() -> None:
    for squeeze, is_legible in ((1.0, True), (0.25, False)):
        picture, ink, text, _ = printed(-60, squeeze)
        assert seen(cv2.GaussianBlur(picture, (0, 0), 1.6), ink, text) is is_legible


@pytest.mark.parametrize(
    ("shift", "least", "most"),
    [((0.0, 0.0), 1.0, 1.0), ((0.0, 12.0), 0.3, 0.9), ((-13.0, 0.0), 0.0, 0.45)],
)
def test_a_cut_character_is_noticed(shift: tuple[float, float], least: float, most: float) -> None:
    *_, share = printed(-60, shift=shift)
    assert least <= share <= most


def test_one_cut_character_of_a_line_is_enough() -> None:
    assert printed(-60, shift=(-13.0, 0.0))[3] < _LEAST_INSIDE
    # an edge that is cut off all letters leaves them legible
    assert printed(-60, shift=(0.0, 8.0))[3] >= _LEAST_INSIDE


def test_ink_outside_the_picture_is_illegible() -> None:
    picture, ink, text, share = printed(-60, shift=(-60.0, 0.0))
    assert share == 0
    assert not seen(picture, ink, text)
