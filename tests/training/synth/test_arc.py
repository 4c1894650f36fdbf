from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.synth.arc import Arc

ANGLES = (-2.4, -0.7, -1e-3, 0.0, 0.3, 1.5, 3.0)


def spot(x: int, y: int) -> np.ndarray:
    mask = np.zeros((30, 140), np.uint8)
    cv2.circle(mask, (x, y), 3, 255, -1)
    return mask


@pytest.mark.parametrize("tilt", [0.0, -0.6, 2.0])
@pytest.mark.parametrize("angle", ANGLES)
def test_a_mask_bends_to_where_its_points_do(angle: float, tilt: float) -> None:
    arc = Arc(140, 30, angle, tilt)
    for x, y in ((12, 15), (70, 8), (131, 21)):
        bent, (left, top) = arc.bend_mask(spot(x, y))
        rows, columns = np.nonzero(bent > 127)
        found = columns.mean() + 0.5 + left, rows.mean() + 0.5 + top
        assert found == pytest.approx(arc.bend(np.array([x + 0.5, y + 0.5])), abs=0.7)


def test_a_level_arc_of_no_angle_changes_nothing() -> None:
    mask = np.random.default_rng(0).integers(0, 256, (30, 140), np.uint8)
    bent, place = Arc(140, 30, 0.0).bend_mask(mask)
    inner = bent[-place[1] : 30 - place[1], -place[0] : 140 - place[0]]
    assert np.abs(inner.astype(int) - mask).max() <= 1


@pytest.mark.parametrize(("angle", "ends_rise"), [(1.2, True), (-1.2, False)])
def test_sign_of_the_angle(angle: float, ends_rise: bool) -> None:
    start, middle, end = Arc(140, 30, angle).bend(np.array([[0, 15], [70, 15], [140, 15.0]]))
    assert start[1] == pytest.approx(end[1])
    assert (start[1] < middle[1]) == ends_rise
    # the middle line keeps its length, so its ends come nearer
    assert end[0] - start[0] < 140


@pytest.mark.parametrize("angle", ANGLES)
def test_extent_holds_every_point(angle: float) -> None:
    arc = Arc(140, 30, angle, 0.4)
    x0, y0, x1, y1 = arc.extent(0, 0, 140, 30)
    x, y = np.meshgrid(np.linspace(0, 140, 141), np.linspace(0, 30, 31))
    bent = arc.bend(np.stack([x, y], -1)).reshape(-1, 2)
    assert (bent > np.array([x0, y0]) - 0.5).all()
    assert (bent < np.array([x1, y1]) + 0.5).all()


@pytest.mark.parametrize("angle", [-50.0, 50.0])
def test_letters_never_fold_over(angle: float) -> None:
    """However far a line is asked to turn, what stood side by side stays so, upright."""
    arc = Arc(140, 30, angle)
    for y in (0.0, 30.0):
        steps = np.diff(arc.bend(np.stack([np.linspace(60, 80, 9), np.full(9, y)], -1)), axis=0)
        assert (steps[:, 0] > 0).all()
