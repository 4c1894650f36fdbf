import numpy as np
import pytest

from sdk.detect.maps import STRIDE, decode_maps
from sdk.geometry import box_quads, cell_centers, distances_to_quads, fit_rectangles
from training.data.targets import detection_targets


def decoded(geometry):
    """Return one quad per cell (h, w, 4, 2)."""
    centers = cell_centers(*geometry.shape[:2], STRIDE)
    return distances_to_quads(centers, geometry[..., 5:7], geometry[..., 3:5], geometry[..., 1:3])


@pytest.mark.parametrize("degrees", [0, 17, 45, 90, 133, 180, -90, -150])
def test_every_weighted_cell_gives_the_box_back(degrees):
    quad = box_quads([[100.0, 90.0]], [80.0], [24.0], [np.deg2rad(degrees)])
    score, geometry = detection_targets(quad, [False], 48, 52)
    cells = geometry[..., 0] > 0
    assert cells.sum() > 60
    assert np.abs(decoded(geometry)[cells] - quad[0]).max() < 1e-2
    core = score[..., 0] == 1
    assert 0 < core.sum() < cells.sum()
    assert (geometry[core][:, 0] == 1).all()
    # between core and edge nothing counts, outside all is background
    assert (score[cells & ~core] == 0).all()
    assert (score[~cells] == (0, 1)).all()


def test_the_shipped_decoder_finds_what_was_drawn():
    rng = np.random.default_rng(0)
    centers = [[60.0, 50.0], [180.0, 60.0], [80.0, 160.0], [200.0, 180.0]]
    quads = box_quads(
        centers, [80.0, 60.0, 100.0, 50.0], [20.0, 30.0, 14.0, 24.0], rng.uniform(-np.pi, np.pi, 4)
    )
    score, geometry = detection_targets(quads, [False] * 4, 64, 64)
    logits = np.where(score[..., 0] > 0, 6.0, -6.0)
    found = decode_maps(logits, geometry[..., 1:3], geometry[..., 3:5], geometry[..., 5:7])
    assert len(found) == 4
    order = np.argsort(found.quads.mean(1) @ (1, 300))
    wanted = np.argsort(quads.mean(1) @ (1, 300))
    assert np.abs(found.quads[order] - quads[wanted]).max() < 0.1


@pytest.mark.parametrize("height", [3.0, 5.0, 8.0])
@pytest.mark.parametrize("offset", [0.0, 1.3, 2.0, 3.9])
def test_small_lines_keep_a_cell(height, offset):
    quad = box_quads([[40 + offset, 40 + offset]], [3 * height], [height], [0.6])
    score, _ = detection_targets(quad, [False], 24, 24)
    assert score[..., 0].sum() >= 1


def test_ignored_lines_count_neither_way():
    quads = box_quads([[40.0, 40.0], [40.0, 90.0]], [40.0, 40.0], [20.0, 20.0], [0.0, 0.0])
    score, geometry = detection_targets(quads, [True, False], 32, 32)
    assert (score[8:12, 6:14] == 0).all()
    assert (geometry[8:12, 6:14, 0] == 0).all()
    assert score[..., 0].sum() > 0


def test_the_smaller_of_overlapping_lines_wins():
    quads = box_quads([[64.0, 64.0], [64.0, 64.0]], [30.0, 100.0], [16.0, 60.0], [0.0, 0.0])
    _, geometry = detection_targets(quads, [False, False], 32, 32)
    assert np.abs(decoded(geometry)[16, 16] - quads[0]).max() < 1e-3


def test_perspective_quads_become_their_rectangle():
    quad = np.array([[[20, 30], [100, 22], [104, 60], [16, 52]]], np.float32)
    _, geometry = detection_targets(quad, [False], 24, 32)
    cells = geometry[..., 0] == 1
    assert np.abs(decoded(geometry)[cells] - fit_rectangles(quad)[0]).max() < 1e-2


def test_no_lines_and_lines_outside():
    score, geometry = detection_targets(np.zeros((0, 4, 2)), [], 8, 8)
    assert (score[..., 0] == 0).all() and (score[..., 1] == 1).all() and not geometry.any()
    outside = box_quads([[500.0, 500.0]], [40.0], [20.0], [0.0])
    score, _ = detection_targets(outside, [False], 8, 8)
    assert score[..., 0].sum() == 0
