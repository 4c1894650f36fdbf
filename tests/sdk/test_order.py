"""Reading order of lines, whichever way the picture was taken."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sdk.geometry import box_quads, map_points
from sdk.order import reading_order

# two rows of words of uneven height and slant, a heading and a last line
PAGE = [
    box_quads((200, 30), 300, 40, 0.01),
    box_quads((60, 92), 90, 24, 0.03),
    box_quads((180, 96), 100, 30, -0.02),
    box_quads((320, 95), 120, 22, 0),
    box_quads((80, 140), 120, 24, 0),
    box_quads((300, 146), 200, 28, -0.01),
    box_quads((100, 200), 160, 24, 0),
]


@pytest.mark.parametrize("turn", [0, 0.1, math.pi / 2, math.pi, -math.pi / 2, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_rows_from_top_to_bottom(turn: float, seed: int) -> None:
    c, s = math.cos(turn), math.sin(turn)
    page = map_points(np.stack(PAGE), [[c, -s, 700], [s, c, 700]])
    shuffled = np.random.default_rng(seed).permutation(len(page))
    order = reading_order(page[shuffled])
    assert shuffled[order].tolist() == list(range(len(page)))


def test_one_sideways_line_does_not_turn_the_page() -> None:
    page = np.stack([*PAGE, box_quads((390, 260), 100, 20, math.pi / 2)])
    assert reading_order(page).tolist() == list(range(8))


def test_no_lines() -> None:
    assert reading_order(np.zeros((0, 4, 2))).tolist() == []
