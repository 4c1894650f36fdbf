from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from training.synth.fonts import FontError, default_library
from training.synth.pens import dot_matrix, outline, segments
from training.synth.pens.dot_glyphs import CHARS_5X5, glyph, strokes, variants
from training.synth.pens.dot_matrix import GRIDS, DotStyle
from training.synth.pens.ink import Ink, trim
from training.synth.pens.outline import OutlineStyle
from training.synth.pens.segments import SegmentStyle
from training.synth.text import sample_text

PRINTABLE = "".join(map(chr, range(33, 127)))
PENS = {"outline": outline.draw, "dot_matrix": dot_matrix.draw, "segments": segments.draw}


def text_for(pen: str, rng: np.random.Generator) -> str:
    return sample_text(rng, "meter") if pen == "segments" else sample_text(rng)


def check(ink: Ink, text: str) -> None:
    height, width = ink.mask.shape
    assert ink.text == text
    assert ink.mask.dtype == np.uint8
    assert ink.chars.dtype == np.float32
    assert ink.chars.shape == (len(text), 4)
    x0, y0, x1, y1 = ink.chars.T
    assert (x1 >= x0).all()
    assert (y1 > y0).all()
    assert (np.diff((x0 + x1) / 2) > 0).all(), "boxes are in reading order"
    left, top, right, bottom = ink.box
    assert x0.min() >= left
    assert x1.max() <= right
    assert y0.min() >= top
    assert y1.max() <= bottom
    assert (right, bottom) == (width - ink.margin, height - ink.margin)
    assert ink.mask.max() > 60
    # What lies outside the box is but the faint rim of anti-aliasing.
    inner = ink.mask[int(top) : int(bottom), int(left) : int(right)]
    assert inner.sum(dtype=np.int64) > 0.95 * ink.mask.sum(dtype=np.int64)
    if ink.ghost is not None:
        assert ink.ghost.shape == ink.mask.shape


@pytest.mark.parametrize("pen", PENS)
def test_boxes_are_ordered_and_inside(pen: str) -> None:
    rng = np.random.default_rng(11)
    for _ in range(150):
        text = text_for(pen, rng)
        check(PENS[pen](text, float(rng.uniform(10, 60)), rng), text)


@pytest.mark.parametrize("pen", PENS)
def test_same_seed_same_ink(pen: str) -> None:
    for seed in range(20):
        first, second = (PENS[pen]("12.5 -8", 30, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(first.mask, second.mask)
        assert np.array_equal(first.chars, second.chars)


@pytest.mark.parametrize("pen", PENS)
def test_height_and_emptiness_are_checked(pen: str) -> None:
    with pytest.raises(ValueError, match="height_px"):
        PENS[pen]("1", 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="visible"):
        PENS[pen]("  ", 20, np.random.default_rng(0))


@pytest.mark.parametrize("pen", PENS)
@pytest.mark.parametrize("height", [12, 40, 100])
def test_height_is_that_of_a_digit(pen: str, height: int) -> None:
    plain = {
        "outline": OutlineStyle(),
        "dot_matrix": DotStyle(),
        "segments": SegmentStyle(slant=0.0),
    }
    ink = PENS[pen]("8", height, np.random.default_rng(0), style=plain[pen])
    assert ink.box[3] - ink.box[1] == pytest.approx(height, abs=2 + 0.06 * height)


def test_boxes_hold_their_letters() -> None:
    ink = outline.draw("IWI", 40, np.random.default_rng(0), style=OutlineStyle(gap=0.4))
    ink_columns = np.flatnonzero(ink.mask.max(axis=0) > 128) + 0.5
    for x in ink_columns:
        assert ((ink.chars[:, 0] - 1 <= x) & (x <= ink.chars[:, 2] + 1)).any()
    assert len({int(np.searchsorted(ink.chars[:, 0], x)) for x in ink_columns}) == 3


def test_a_face_is_not_made_to_draw_what_it_lacks() -> None:
    face = replace(default_library().faces[0], chars=frozenset("AB"))
    with pytest.raises(FontError, match="cannot draw C"):
        outline.draw("ABC", 30, np.random.default_rng(0), face=face)


def test_outline_style_does_what_it_says() -> None:
    def at(style: OutlineStyle) -> Ink:
        return outline.draw("HOH 4", 48, np.random.default_rng(2), style=style)

    plain = at(OutlineStyle())
    assert at(OutlineStyle(gap=0.5)).mask.shape[1] > plain.mask.shape[1]
    assert at(OutlineStyle(word_gap=2.0)).mask.shape[1] > plain.mask.shape[1]
    assert at(OutlineStyle(x_scale=0.6)).mask.shape[1] < 0.75 * plain.mask.shape[1]
    assert at(OutlineStyle(weight=0.06)).mask.mean() > plain.mask.mean()
    thin = at(OutlineStyle(weight=-0.035)).mask.sum(dtype=np.int64)
    assert 0.4 * plain.mask.sum(dtype=np.int64) < thin <= plain.mask.sum(dtype=np.int64)


@pytest.mark.parametrize(("columns", "rows"), [grid for grid in GRIDS if grid[1] != 5])
def test_dot_letters_are_pairwise_distinct(columns: int, rows: int) -> None:
    shapes = {glyph(char, columns, rows).tobytes() for char in PRINTABLE}
    assert len(shapes) == len(PRINTABLE)
    assert glyph("A", columns, rows).shape == (rows, columns)


def test_small_dot_letters_are_pairwise_distinct() -> None:
    assert len({glyph(char, 5, 5).tobytes() for char in CHARS_5X5}) == len(CHARS_5X5)
    with pytest.raises(KeyError, match="5x5"):
        glyph("a", 5, 5)


def test_variants_of_different_letters_never_coincide() -> None:
    owners: dict[bytes, str] = {}
    for char in PRINTABLE:
        for shape in variants(char):
            assert owners.setdefault(glyph(char, shape=shape).tobytes(), char) == char


def test_strokes_join_neighbors_once() -> None:
    corner = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]], np.uint8)
    lines = {frozenset(line) for line in strokes(corner)}
    assert lines == {
        frozenset({(0, 0), (1, 0)}),
        frozenset({(0, 0), (0, 1)}),
        frozenset({(2, 2)}),
    }


def test_dots_are_where_the_face_has_them() -> None:
    style = DotStyle(radius=0.38)
    ink = dot_matrix.draw("E", 70, np.random.default_rng(0), style=style)
    # The shape drawn is one of the letter's.
    inner = ink.mask[ink.margin : -ink.margin, ink.margin : -ink.margin]
    count, _ = cv2.connectedComponents((inner > 128).astype(np.uint8))
    assert count - 1 == int(glyph("E").sum())


def test_missing_dots_leave_letters_legible() -> None:
    full = dot_matrix.draw("ABC123", 56, np.random.default_rng(0), style=DotStyle())
    holed = dot_matrix.draw("ABC123", 56, np.random.default_rng(0), style=DotStyle(missing=0.07))
    ratio = holed.mask.sum(dtype=np.int64) / full.mask.sum(dtype=np.int64)
    assert 0.8 < ratio < 1.0


def test_unsure_zeros_keep_their_stroke() -> None:
    style = DotStyle(radius=0.4)
    for seed in range(30):
        ink = dot_matrix.draw("O0", 56, np.random.default_rng(seed), style=style)
        half = ink.mask.shape[1] // 2
        oh, zero = ink.mask[:, :half], ink.mask[:, -half:]
        assert not np.array_equal(oh, zero)


def lit_segments(ink: Ink) -> str:
    """Read the segments of the second digit back from its picture."""
    x0, y0, x1, y1 = ink.chars[1].tolist()
    probes = {
        "a": (0.06, 0.5), "b": (0.27, 0.9), "c": (0.73, 0.9), "d": (0.94, 0.5),
        "e": (0.73, 0.1), "f": (0.27, 0.1), "g": (0.5, 0.5),
    }  # fmt: skip
    return "".join(
        name
        for name, (y, x) in probes.items()
        if ink.mask[int(y0 + y * (y1 - y0)), int(x0 + x * (x1 - x0))] > 128
    )


@pytest.mark.parametrize("ends", ["point", "miter", "square"])
def test_seven_segment_digits_are_right(ends: str) -> None:
    expected = {
        "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg", "5": "acdfg",
        "6": "acdefg", "7": "abc", "8": "abcdefg", "9": "abcdfg",
    }  # fmt: skip
    style = SegmentStyle(ends=ends, slant=0.0, split=0.0)
    for digit, lit in expected.items():
        ink = segments.draw(f"8{digit}8", 80, np.random.default_rng(0), style=style)
        assert lit_segments(ink) == lit, digit


def test_points_share_the_cell_before_them() -> None:
    style = SegmentStyle(slant=0.0, gap=0.4)
    rng = np.random.default_rng(0)
    plain, pointed = (segments.draw(t, 50, rng, style=style) for t in ("888", "88.8"))
    assert plain.mask.shape == pointed.mask.shape
    assert pointed.mask.sum(dtype=np.int64) > plain.mask.sum(dtype=np.int64)
    assert pointed.chars[1, 2] <= pointed.chars[2, 0] < pointed.chars[3, 0]


def test_small_decimals_stand_on_the_line() -> None:
    style = SegmentStyle(slant=0.0, small_decimals=0.5)
    ink = segments.draw("8.8", 60, np.random.default_rng(0), style=style)
    small = ink.mask[:, round(float(ink.chars[2, 0])) : round(float(ink.chars[2, 2]))]
    rows = np.flatnonzero(small.max(axis=1) > 128)
    assert rows[-1] + 1 == pytest.approx(ink.box[3], abs=2)
    assert len(rows) == pytest.approx(30, abs=3)


def test_ghost_is_the_rest_of_the_eight() -> None:
    style = SegmentStyle(slant=0.0, ghost=True)
    ink = segments.draw("2", 60, np.random.default_rng(0), style=style)
    full = segments.draw("8", 60, np.random.default_rng(0), style=style)
    assert ink.ghost is not None
    assert full.ghost is not None
    assert full.ghost.max() == 0
    # Where two segments meet, each covers a part of the pixel.
    both = np.minimum(ink.mask.astype(int) + ink.ghost, 255)
    assert np.abs(both - full.mask).max() < 64


def test_displays_refuse_what_they_cannot_show() -> None:
    assert segments.supports("AbC 12.5:", 7)
    assert not segments.supports("KW", 7)
    assert segments.supports("KW-9 $", 14)
    with pytest.raises(ValueError, match="cannot show #"):
        segments.draw("1#", 30, np.random.default_rng(0))


def test_fourteen_segment_letters_are_pairwise_distinct() -> None:
    style = SegmentStyle(segments=14, width=0.7, thickness=0.07, slant=0.0)
    shown = [c for c in PRINTABLE if segments.supports(c, 14) and c not in ".,:'"]
    masks = set()
    for char in shown:
        # The companions pin the shapes of 0 and S, which stand in for O and 5 elsewhere.
        text = "8O" + char + "8"
        ink = segments.draw(text, 60, np.random.default_rng(0), style=style)
        masks.add(ink.mask.tobytes())
    assert len(masks) == len(shown)


def test_trim_grows_a_dash_to_its_line() -> None:
    canvas = np.zeros((60, 40), np.uint8)
    canvas[28:31, 10:30] = 255
    spans = np.array([[8, 32]], np.float32)
    ink = trim(canvas, spans, "-", (20.0, 40.0), margin=3)
    assert ink.mask.shape == (20 + 6, 20 + 6)
    assert ink.chars.tolist() == [[3, 3, 23, 23]]


def test_trim_refuses_an_empty_canvas() -> None:
    with pytest.raises(ValueError, match="no ink"):
        trim(np.zeros((9, 9), np.uint8), np.zeros((1, 2), np.float32), "x", (1, 5))
