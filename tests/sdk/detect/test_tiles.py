"""Tiles cover a photo."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sdk.detect.tiles import plan_tiles

sides = st.integers(1, 5000)


@given(sides, sides, st.floats(1, 2000), st.floats(1, 2000), st.floats(0, 0.5), st.integers(1, 12))
def test_tiles_cover_the_photo_with_overlap(
    width: int, height: int, wide: float, high: float, overlap: float, most: int
) -> None:
    tiles = plan_tiles(width, height, wide, high, overlap, most)
    assert 1 <= len(tiles) <= most
    for low, high_, cut_low, cut_high, length in (
        ("left", "right", "cut_left", "cut_right", width),
        ("top", "bottom", "cut_top", "cut_bottom", height),
    ):
        spans = sorted({(getattr(t, low), getattr(t, high_)) for t in tiles})
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        size = spans[0][1] - spans[0][0]
        assert all(b - a == size for a, b in spans)
        shared = [a[1] - b[0] for a, b in pairwise(spans)]
        # starts are rounded to whole pixels
        assert all(s >= overlap * size - 1 for s in shared)
        for t in tiles:
            assert getattr(t, cut_low) == (getattr(t, low) > 0)
            assert getattr(t, cut_high) == (getattr(t, high_) < length)


def test_tiles_are_as_large_as_asked_if_they_may_be_so_many() -> None:
    tiles = plan_tiles(1000, 400, 400, 400, 0.15, 12)
    assert [(t.left, t.right) for t in tiles] == [(0, 400), (300, 700), (600, 1000)]
    assert np.mean([t.bottom - t.top for t in tiles]) == 400
