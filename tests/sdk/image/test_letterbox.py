"""The letterbox: pictures of any shape fit, and points come back to where they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.image.letterbox import FILL, letterbox

sides = st.integers(1, 300)


@settings(deadline=None)
@given(sides, sides, st.sampled_from([32, 64, 96]), st.sampled_from([32, 64, 96]))
def test_points_map_there_and_back(width: int, height: int, frame_w: int, frame_h: int) -> None:
    frame, box = letterbox(np.zeros((height, width, 3), np.uint8), frame_h, frame_w)
    assert frame.shape == (frame_h, frame_w, 3)
    assert 1 <= box.width <= frame_w
    assert 1 <= box.height <= frame_h
    assert box.width == frame_w or box.height == frame_h
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inner = np.array([[0, 0], [box.width, 0], [box.width, box.height], [0, box.height]])
    np.testing.assert_allclose(box.to_frame(corners), inner, rtol=1e-5)
    np.testing.assert_allclose(box.to_image(box.to_frame(corners)), corners, rtol=1e-5)


@pytest.mark.parametrize("shape", [(480, 640), (64, 48), (20_000, 20), (20, 20_000), (1, 1)])
def test_picture_keeps_its_content_and_the_rest_is_gray(shape: tuple[int, int]) -> None:
    frame, box = letterbox(np.full((*shape, 3), 255, np.uint8), 128, 160)
    assert (frame[: box.height, : box.width] == 255).all()
    assert (frame[box.height :] == FILL).all()
    assert (frame[:, box.width :] == FILL).all()


def test_a_mark_lands_where_the_mapping_says() -> None:
    image = np.zeros((200, 400, 3), np.uint8)
    image[120:140, 300:320] = 255
    frame, box = letterbox(image, 64, 64)
    rows, columns = np.nonzero(frame[: box.height, :, 0] > 127)
    # Centers of pixels are at integer + 0.5.
    center = np.array([columns.mean() + 0.5, rows.mean() + 0.5], np.float32)
    np.testing.assert_allclose(box.to_image(center), [310, 130], atol=3)


def test_magnification_can_be_limited() -> None:
    frame, box = letterbox(np.full((10, 20, 3), 9, np.uint8), 64, 64, max_scale=2.0)
    assert (box.width, box.height, box.scale_x, box.scale_y) == (40, 20, 2.0, 2.0)
    assert (frame[20:] == FILL).all()


def test_picture_of_the_frames_size_is_unchanged() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    frame, box = letterbox(image, 48, 64)
    np.testing.assert_array_equal(frame, image)
    assert (box.scale_x, box.scale_y) == (1.0, 1.0)


def test_a_picture_in_the_middle_maps_back() -> None:
    image = np.zeros((10, 20, 3), np.uint8)
    frame, box = letterbox(image, 64, 80, max_scale=2.0, centered=True)
    assert (box.left, box.top, box.width, box.height) == (20, 22, 40, 20)
    assert (frame[22:42, 20:60] == 0).all()
    assert (np.delete(frame, np.s_[22:42], 0) == 127).all()
    corners = np.array([[0, 0], [20, 10]], np.float32)
    np.testing.assert_allclose(box.to_frame(corners), [[20, 22], [60, 42]])
    np.testing.assert_allclose(box.to_image(box.to_frame(corners)), corners, atol=1e-5)
