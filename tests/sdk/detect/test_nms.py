"""Suppression and union of boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sdk.detect.nms import merge_collinear, suppress
from sdk.geometry import box_quads, iou, iou_matrix


def test_the_higher_ranked_of_two_that_overlap_stays() -> None:
    quads = [box_quads((50, 50), 100, 20, 0), box_quads((55, 51), 100, 20, 0.02)]
    assert suppress(quads, [0.5, 0.9], 0.3).tolist() == [1]
    assert suppress(quads, [0.9, 0.5], 0.3).tolist() == [0]
    assert suppress(quads, [0.9, 0.5], 0.99).tolist() == [0], "the second lies inside the first"
    assert suppress(quads, [0.9, 0.5], 0.99, inside=0.99).tolist() == [0, 1]


def test_a_fragment_inside_a_line_goes_and_a_neighbor_stays() -> None:
    line = box_quads((100, 50), 200, 20, 0)
    fragment = box_quads((40, 50), 30, 16, 0)
    below = box_quads((100, 71), 200, 20, 0)
    assert sorted(suppress([line, fragment, below], [3, 2, 1], 0.3).tolist()) == [0, 2]


def test_nothing_kept_overlaps() -> None:
    rng = np.random.default_rng(0)
    n = 80
    quads = box_quads(
        rng.uniform(0, 300, (n, 2)),
        rng.uniform(20, 90, n),
        rng.uniform(8, 30, n),
        rng.normal(size=n),
    )
    ranks = rng.uniform(size=n)
    kept = suppress(quads, ranks, 0.3)
    overlap = iou_matrix(quads[kept], quads[kept]) - np.eye(len(kept))
    assert overlap.max() <= 0.3
    assert (np.diff(ranks[kept]) <= 0).all()
    # whatever was dropped has a reason of higher rank
    for i in set(range(n)) - set(kept.tolist()):
        higher = [k for k in kept if ranks[k] > ranks[i]]
        assert max(iou(quads[i], quads[k]) for k in higher) > 0
    assert suppress(np.zeros((0, 4, 2)), [], 0.3).tolist() == []


@pytest.mark.parametrize("turn", [0, 0.4, math.pi / 2, math.pi, -2.5])
def test_parts_of_a_line_become_one(turn: float) -> None:
    whole = box_quads((200, 200), 300, 20, turn)
    u = np.array([math.cos(turn), math.sin(turn)])
    parts = [box_quads((200, 200) + s * u, 120, 20, turn) for s in (-90, 0, 90)]
    merged, groups = merge_collinear(parts, [1, 2, 1])
    assert sorted(map(sorted, groups)) == [[0, 1, 2]]
    assert np.abs(merged[0] - whole).max() < 0.05


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(box_quads((230, 100), 100, 20, 0), id="a gap between"),
        pytest.param(box_quads((180, 112), 100, 20, 0), id="another axis"),
        pytest.param(box_quads((180, 100), 100, 60, 0), id="another height"),
        pytest.param(box_quads((180, 100), 100, 20, 0.5), id="another direction"),
        pytest.param(box_quads((180, 100), 100, 20, math.pi), id="upside down"),
    ],
)
def test_other_lines_stay_apart(other: np.ndarray) -> None:
    first = box_quads((100, 100), 100, 20, 0)
    merged, groups = merge_collinear([first, other], [1, 1])
    assert groups == [[0], [1]]
    assert np.array_equal(merged, np.stack([first, other]))


def test_a_long_slightly_turned_pair_meets_where_the_axes_cross() -> None:
    turn = 0.1
    first = box_quads((200, 200), 400, 20, 0)
    start = np.array([390.0, 200.0])
    second = box_quads(start + 150 * np.array([math.cos(turn), math.sin(turn)]), 300, 20, turn)
    assert merge_collinear([first, second], [1, 1])[1] == [[0, 1]]


def test_none() -> None:
    merged, groups = merge_collinear(np.zeros((0, 4, 2)), [])
    assert merged.shape == (0, 4, 2)
    assert groups == []
