"""Maps made from known boxes decode to those boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.detect.maps import Detections, decode_maps
from sdk.geometry import (
    angle,
    area,
    box_quads,
    cell_centers,
    contains,
    distances,
    iou,
    shrink,
    side_lengths,
)

SIZE = 160  # cells of the maps, 640 px

Maps = list[np.ndarray]


def encode(quads: Sequence[np.ndarray], shrunk: float = 0.2) -> Maps:
    """Return score, vertical, horizontal and angle maps; later quads lie over earlier ones."""
    centers = cell_centers(SIZE, SIZE)
    score = np.full((SIZE, SIZE, 1), -8.0)
    vertical, horizontal, direction = (np.zeros((SIZE, SIZE, 2)) for _ in range(3))
    for quad in quads:
        inside = contains(shrink(quad, shrunk / 2, shrunk), centers)
        score[inside] = 4.0
        horizontal[inside], vertical[inside] = distances(centers[inside], quad)
        turn = float(angle(quad))
        # a network does not give unit vectors
        direction[inside] = 3 * np.array([math.cos(turn), math.sin(turn)])
    return [score, vertical, horizontal, direction]


def overlaps(found: Detections, wanted: Sequence[np.ndarray]) -> list[float]:
    """Return the best overlap of each wanted quad."""
    return [max((iou(f, w) for f in found.quads), default=0.0) for w in wanted]


@settings(max_examples=60, deadline=None)
@given(
    st.floats(180, 460),
    st.floats(180, 460),
    st.floats(12, 60),
    st.floats(1, 9),
    st.floats(-math.pi, math.pi),
)
def test_a_box_of_any_place_size_and_angle(
    x: float, y: float, height: float, aspect: float, turn: float
) -> None:
    quad = box_quads((x, y), min(aspect * height, 340), height, turn)
    found = decode_maps(*encode([quad]))
    assert len(found) == 1
    assert np.abs(found.quads[0] - quad).max() < 0.1
    assert found.scores[0] == pytest.approx(1 / (1 + math.exp(-4)), abs=1e-5)


def test_many_lines() -> None:
    quads = [box_quads((320, y), 560, 24, 0.02) for y in range(30, 620, 40)]
    found = decode_maps(*encode(quads))
    assert len(found) == len(quads)
    assert min(overlaps(found, quads)) > 0.99


def test_noisy_geometry() -> None:
    rng = np.random.default_rng(0)
    quads = [box_quads((320, y), 500, 28, -0.05) for y in range(60, 600, 60)]
    score, vertical, horizontal, direction = encode(quads)
    horizontal *= 1 + 0.1 * rng.normal(size=horizontal.shape)
    vertical *= 1 + 0.1 * rng.normal(size=vertical.shape)
    direction += 0.1 * rng.normal(size=direction.shape)
    found = decode_maps(score, vertical, horizontal, direction)
    assert len(found) == len(quads)
    assert min(overlaps(found, quads)) > 0.95


@pytest.mark.parametrize(("turn", "width"), [(0, 54), (2.5, 54), (0, 222)])
@pytest.mark.parametrize("heights", [0.4, 3.0, 12.0])
def test_lines_end_near_their_cells(turn: float, width: float, heights: float) -> None:
    quad = box_quads((320, 320), width, 24, turn)
    maps = encode([quad])
    # every cell says that the line goes on beyond its ends
    maps[2][maps[0][..., 0] > 0] += heights * 24
    found = decode_maps(*maps)
    assert len(found) == 1
    u = np.array([math.cos(turn), math.sin(turn)])
    cells = cell_centers(SIZE, SIZE)[maps[0][..., 0] > 0] @ u
    ends = found.quads[0] @ u
    start, end = quad[0] @ u - heights * 24, quad[1] @ u + heights * 24
    reach = 24  # one height
    assert ends.min() == pytest.approx(max(start, cells.min() - reach), abs=0.1)
    assert ends.max() == pytest.approx(min(end, cells.max() + reach), abs=0.1)


def test_upside_down_and_sideways_lines_keep_their_start() -> None:
    quads = [
        box_quads((100, 100), 120, 20, math.pi),
        box_quads((300, 300), 160, 20, math.pi / 2),
        box_quads((500, 300), 160, 20, -math.pi / 2),
    ]
    found = decode_maps(*encode(quads))
    for quad in quads:
        assert min(np.abs(f - quad).max() for f in found.quads) < 0.1


def test_cells_that_see_a_line_upside_down_are_outvoted() -> None:
    quad = box_quads((300, 300), 200, 24, 0.1)
    score, vertical, horizontal, direction = encode([quad])
    rows, columns, _ = np.nonzero(score > 0)
    wrong = np.random.default_rng(0).choice(len(rows), len(rows) // 5, replace=False)
    at = rows[wrong], columns[wrong]
    direction[at] *= -1
    horizontal[at], vertical[at] = horizontal[at][:, ::-1], vertical[at][:, ::-1]
    found = decode_maps(score, vertical, horizontal, direction)
    assert len(found) == 1
    assert np.abs(found.quads[0] - quad).max() < 0.5


@pytest.mark.parametrize(
    "quads",
    [
        pytest.param(
            [box_quads((100, 100), 100, 20, 0), box_quads((202, 100), 100, 20, 0)], id="along"
        ),
        pytest.param(
            [box_quads((100, 100), 100, 20, 0), box_quads((120, 120), 100, 20, 0)], id="across"
        ),
        pytest.param(
            [box_quads((100, 100), 100, 20, 0), box_quads((160, 160), 100, 20, math.pi / 2)],
            id="corner",
        ),
        pytest.param([box_quads((200, 100 + 24 * i), 200, 24, 0.05) for i in range(6)], id="block"),
    ],
)
def test_lines_that_touch_are_told_apart(quads: list[np.ndarray]) -> None:
    # not shrunk, so that their cells make one component
    found = decode_maps(*encode(quads, shrunk=0))
    assert len(found) == len(quads)
    assert min(overlaps(found, quads)) > 0.95


def test_a_line_broken_by_a_gap_in_the_score_is_one() -> None:
    quad = box_quads((300, 100), 500, 20, 0)
    score, *geometry = encode([quad])
    score[:, 70:73] = -5
    found = decode_maps(score, *geometry)
    assert len(found) == 1
    assert iou(found.quads[0], quad) > 0.99


def test_words_with_a_gap_between_their_boxes_stay_two() -> None:
    quads = [box_quads((100, 100), 100, 20, 0), box_quads((220, 100), 100, 20, 0)]
    found = decode_maps(*encode(quads))
    assert len(found) == 2
    assert min(overlaps(found, quads)) > 0.99


@pytest.mark.parametrize("gap", [False, True])
def test_a_line_longer_than_the_network_sees(gap: bool) -> None:
    quad = box_quads((300, 100), 500, 16, 0.05)
    score, vertical, horizontal, direction = encode([quad])
    horizontal = np.minimum(horizontal, 120)
    if gap:
        score[:, 70:73] = -5
    found = decode_maps(score, vertical, horizontal, direction)
    assert len(found) == 1
    assert iou(found.quads[0], quad) > 0.95


def test_a_slightly_curved_line_is_one() -> None:
    parts = [
        box_quads((100 + 40 * i, 200 + 0.9 * (i - 5) ** 2), 44, 24, math.atan2(1.8 * (i - 5), 40))
        for i in range(11)
    ]
    score, vertical, horizontal, direction = encode(parts, shrunk=0.1)
    centers = cell_centers(SIZE, SIZE)
    horizontal[..., 0], horizontal[..., 1] = centers[..., 0] - 78, 522 - centers[..., 0]
    found = decode_maps(score, vertical, np.maximum(horizontal, 0), direction)
    assert len(found) == 1
    width, _ = side_lengths(found.quads[0])
    assert width == pytest.approx(444, abs=20)


def test_threshold_and_least_height() -> None:
    quads = [box_quads((100, 100), 100, 24, 0), box_quads((100, 200), 100, 8, 0)]
    maps = encode(quads, shrunk=0)
    assert len(decode_maps(*maps)) == 2
    assert overlaps(decode_maps(*maps, min_height_px=12), quads) == pytest.approx([1, 0], abs=0.01)
    maps[0][maps[0] > 0] = 1.0  # a probability of 0.73
    assert len(decode_maps(*maps, threshold=0.7)) == 2
    assert len(decode_maps(*maps, threshold=0.75)) == 0


def test_no_text() -> None:
    found = decode_maps(*encode([]))
    assert found.quads.shape == (0, 4, 2)
    assert found.scores.shape == (0,)


def test_wild_maps_give_finite_boxes() -> None:
    rng = np.random.default_rng(1)
    maps = [rng.normal(scale=s, size=(40, 40, c)) for s, c in ((3, 1), (20, 2), (20, 2), (1, 2))]
    maps[3][:5] = 0  # no direction at all
    found = decode_maps(*maps)
    assert np.isfinite(found.quads).all()
    assert (area(found.quads) > 0).all()
    assert ((found.scores >= 0.5) & (found.scores <= 1)).all()
    assert (np.diff(found.scores) <= 0).all()
