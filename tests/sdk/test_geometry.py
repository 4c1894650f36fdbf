"""Quads: there and back, and against plain formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk import geometry

positions = st.floats(-2000, 2000)
# corners far out are rounded to 1e-4: the direction of a shorter edge would be uncertain
lengths = st.floats(8, 1000)
angles = st.floats(-math.pi, math.pi)
boxes = st.tuples(positions, positions, lengths, lengths, angles)


def quad_of(box: tuple[float, float, float, float, float]) -> np.ndarray:
    x, y, width, height, turn = box
    return geometry.box_quads((x, y), width, height, turn)


@given(boxes)
def test_box_keeps_its_measures(box: tuple[float, float, float, float, float]) -> None:
    x, y, width, height, turn = box
    quad = quad_of(box)
    assert quad.dtype == np.float32
    assert quad.mean(0) == pytest.approx((x, y), abs=1e-2)
    assert [float(side) for side in geometry.side_lengths(quad)] == pytest.approx(
        (width, height), abs=2e-3, rel=1e-3
    )
    assert float(geometry.area(quad)) == pytest.approx(width * height, rel=5e-3, abs=1)
    assert math.cos(float(geometry.angle(quad)) - turn) == pytest.approx(1, abs=1e-5)


def test_upright_box_starts_at_the_top_left_and_runs_clockwise() -> None:
    quad = geometry.box_quads((10, 20), 8, 4, 0)
    assert quad.tolist() == [[6, 18], [14, 18], [14, 22], [6, 22]]
    assert geometry.area(quad) == 32
    assert geometry.area(quad[::-1]) == -32


def test_angle_is_in_the_half_open_range() -> None:
    backwards = np.array([[0, 0], [-2, -0.0], [-2, -1], [0, -1]], np.float32)
    assert float(geometry.angle(backwards)) == pytest.approx(math.pi)
    assert float(geometry.angle(geometry.box_quads((0, 0), 9, 3, math.pi / 2))) == pytest.approx(
        math.pi / 2
    )


@given(boxes, st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)), min_size=1))
def test_distances_describe_the_box_from_any_point(
    box: tuple[float, float, float, float, float], shares: list[tuple[float, float]]
) -> None:
    quad = quad_of(box)
    s = np.array(shares)
    points = quad[0] + s[:, :1] * (quad[1] - quad[0]) + s[:, 1:] * (quad[3] - quad[0])
    horizontal, vertical = geometry.distances(points, quad)
    turn = float(geometry.angle(quad))
    direction = np.broadcast_to((math.cos(turn), math.sin(turn)), points.shape)
    back = geometry.distances_to_quads(points, direction, horizontal, vertical)
    # the direction comes from corners in single precision
    assert np.abs(back - quad).max() < 0.2


def test_distances_are_named_by_reading_direction() -> None:
    upside_down = geometry.box_quads((50, 50), 40, 10, math.pi)
    horizontal, vertical = geometry.distances(np.array([65.0, 52.0]), upside_down)
    assert horizontal == pytest.approx((5, 35), abs=1e-3)
    assert vertical == pytest.approx((3, 7), abs=1e-3)


@given(boxes)
def test_rectangles_stand_for_themselves(box: tuple[float, float, float, float, float]) -> None:
    quad = quad_of(box)
    assert np.abs(geometry.fit_rectangles(quad) - quad).max() < 0.1


def test_rectangle_of_a_trapezoid_has_its_mean_measures() -> None:
    trapezoid = np.array([[0, 0], [100, 10], [100, 30], [0, 40]], np.float32)
    quad = geometry.fit_rectangles(trapezoid)
    assert quad == pytest.approx(np.array([[0, 5], [100, 5], [100, 35], [0, 35]]), abs=1e-4)


def test_cell_centers() -> None:
    centers = geometry.cell_centers(2, 3)
    assert centers.shape == (2, 3, 2)
    assert centers[1, 2].tolist() == [10, 6]


def test_shrink_takes_shares_of_the_height() -> None:
    quad = geometry.box_quads((50, 20), 60, 20, 0)
    inner = geometry.shrink(quad, 0.5, 0.25)
    assert inner.tolist() == [[30, 15], [70, 15], [70, 25], [30, 25]]
    narrow = geometry.shrink(geometry.box_quads((0, 0), 10, 20, 0), 0.5, 0)
    assert narrow[:, 0] == pytest.approx((-0.5, 0.5, 0.5, -0.5), abs=1e-5)


def test_slices_follow_the_edges() -> None:
    quad = np.array([[0, 0], [100, 10], [100, 30], [0, 40]], np.float32)
    first, second = geometry.slice_quads(quad, [0, 0.5], [0.5, 1])
    assert first.tolist() == [[0, 0], [50, 5], [50, 35], [0, 40]]
    assert second.tolist() == [[50, 5], [100, 10], [100, 30], [50, 35]]


def test_rows_are_cut_across_reading() -> None:
    quad = np.array([[0, 0], [100, 10], [100, 30], [0, 40]], np.float32)
    assert geometry.slice_rows(quad, 0.25, 0.75).tolist() == [
        [0, 10], [100, 15], [100, 25], [0, 30],
    ]  # fmt: skip
    assert geometry.slice_rows(quad, 0, 1).tolist() == quad.tolist()


@given(boxes)
def test_reversed_twice_is_the_same(box: tuple[float, float, float, float, float]) -> None:
    quad = quad_of(box)
    turned = geometry.reverse(quad)
    assert np.array_equal(geometry.reverse(turned), quad)
    assert np.array_equal(turned[0], quad[2])


def test_points_move_by_affine_and_homography() -> None:
    affine = np.array([[2, 0, 1], [0, 3, -1]])
    assert geometry.map_points([[1, 2], [0, 0]], affine).tolist() == [[3, 5], [1, -1]]
    homography = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0, 1]])
    assert geometry.map_points([2, 4], homography).tolist() == [1, 2]


def test_contains_counts_edges_in() -> None:
    quad = geometry.box_quads((5, 5), 10, 10, 0)
    inside = geometry.contains(quad, np.array([(5, 5), (0, 5), (10, 10), (10.1, 5), (5, -0.1)]))
    assert inside.tolist() == [True, True, True, False, False]


@given(positions, positions, st.floats(2, 300), st.floats(2, 300), angles, st.floats(0, 1))
def test_overlap_of_a_box_moved_along_itself(
    x: float, y: float, width: float, height: float, turn: float, share: float
) -> None:
    quad = geometry.box_quads((x, y), width, height, turn)
    moved = quad + share * (quad[1] - quad[0])
    assert geometry.iou(quad, moved) == pytest.approx((1 - share) / (1 + share), abs=5e-3)


def test_overlap_of_two_whose_edges_lie_on_one_line() -> None:
    # OpenCV 5.0 finds them equal
    quad = geometry.box_quads((0, 0), 178, 16, 3)
    moved = quad + 0.5 * (quad[1] - quad[0])
    assert geometry.iou(quad, moved) == pytest.approx(1 / 3, abs=1e-4)


@given(boxes, boxes)
def test_overlap_is_symmetric(
    first: tuple[float, float, float, float, float],
    second: tuple[float, float, float, float, float],
) -> None:
    a, b = quad_of(first), quad_of(second)
    value = geometry.iou(a, b)
    assert 0 <= value <= 1
    assert geometry.iou(b, a) == pytest.approx(value, abs=2e-3)
    assert geometry.iou(a, geometry.reverse(a)) == pytest.approx(1, abs=1e-3)


def test_overlap_equals_counting_points() -> None:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:200, :200] + 0.5
    grid = np.stack([x, y], -1)
    for _ in range(20):
        a, b = geometry.box_quads(
            rng.uniform(70, 130, (2, 2)),
            rng.uniform(40, 90, 2),
            rng.uniform(15, 50, 2),
            rng.normal(size=2),
        )
        inside, other = geometry.contains(a, grid), geometry.contains(b, grid)
        counted = (inside & other).sum() / (inside | other).sum()
        assert geometry.iou(a, b) == pytest.approx(counted, abs=0.02)


def test_overlap_does_not_ask_for_an_order_of_corners() -> None:
    a = geometry.box_quads((0, 0), 4, 4, 0)
    b = geometry.box_quads((2, 0), 4, 4, 0)
    assert geometry.iou(a, b[::-1]) == pytest.approx(1 / 3)
    assert geometry.iou(a, geometry.box_quads((9, 9), 4, 4, 0)) == 0
    assert geometry.iou(a, np.zeros((4, 2))) == 0


def test_overlap_matrix_equals_its_pairs() -> None:
    rng = np.random.default_rng(3)
    a, b = (
        geometry.box_quads(
            rng.uniform(0, 60, (n, 2)),
            rng.uniform(5, 40, n),
            rng.uniform(5, 20, n),
            rng.normal(size=n),
        )
        for n in (7, 5)
    )
    matrix = geometry.iou_matrix(a, b)
    assert matrix.shape == (7, 5)
    assert (matrix > 0).any()
    assert matrix == pytest.approx(np.array([[geometry.iou(p, q) for q in b] for p in a]))
    assert geometry.iou_matrix(np.zeros((0, 4, 2)), b).shape == (0, 5)
