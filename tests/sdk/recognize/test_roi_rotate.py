"""RoIRotate against sampling point by point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.geometry import box_quads, side_lengths
from sdk.recognize.roi_rotate import roi_affine, roi_rotate


def sample(features: np.ndarray, x: float, y: float) -> np.ndarray:
    """Bilinear value at a continuous position, cell centers at + 0.5, zero outside."""
    value = np.zeros(features.shape[2])
    left, top = math.floor(x - 0.5), math.floor(y - 0.5)
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < features.shape[0] and 0 <= column < features.shape[1]:
                weight = (1 - abs(x - 0.5 - column)) * (1 - abs(y - 0.5 - row))
                value += weight * features[row, column]
    return value


def reference(features: np.ndarray, quad: np.ndarray, height: int, most: int) -> np.ndarray:
    q = quad.astype(np.float64)
    across, down = (float(side) for side in side_lengths(quad))
    width = min(max(round(height * across / down), 1), most)
    out = np.zeros((height, width, features.shape[2]))
    for i in range(height):
        for j in range(width):
            point = q[0] + (q[1] - q[0]) * (j + 0.5) / width + (q[3] - q[0]) * (i + 0.5) / height
            out[i, j] = sample(features, *point)
    return out


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**16),
    st.floats(-5, 25),
    st.floats(-5, 25),
    st.floats(0.5, 30),
    st.floats(0.5, 10),
    st.floats(-math.pi, math.pi),
)
def test_equals_sampling_point_by_point(
    seed: int, x: float, y: float, width: float, height: float, turn: float
) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(17, 21, 3)).astype(np.float32)
    quads = box_quads([(x, y), (10, 8)], [width, 9], [height, 3], [turn, 0.3])
    quads += rng.normal(scale=0.2, size=quads.shape).astype(np.float32)
    affines, widths = roi_affine(quads, 8, 24)
    strips = roi_rotate(features, affines, widths, 8, 24)
    assert strips.dtype == np.float32
    assert strips.shape == (2, 8, 24, 3)
    for strip, quad, taken in zip(strips, quads, widths, strict=True):
        expected = reference(features, quad, 8, 24)
        assert expected.shape[1] == taken
        assert strip[:, :taken] == pytest.approx(expected, abs=2e-4)
        assert not strip[:, taken:].any()


def test_aligned_line_is_copied() -> None:
    features = np.arange(20 * 30 * 2, dtype=np.float32).reshape(20, 30, 2)
    quad = np.array([[[3, 4], [15, 4], [15, 12], [3, 12]]], np.float32)
    affines, widths = roi_affine(quad, 8, 64)
    assert widths.tolist() == [12]
    assert np.array_equal(roi_rotate(features, affines, widths, 8, 12)[0], features[4:12, 3:15])


def test_upside_down_line_is_turned() -> None:
    features = np.random.default_rng(0).normal(size=(20, 30, 2)).astype(np.float32)
    quad = np.array([[[15, 12], [3, 12], [3, 4], [15, 4]]], np.float32)
    affines, widths = roi_affine(quad, 8, 64)
    strip = roi_rotate(features, affines, widths, 8, 12)[0]
    assert strip == pytest.approx(features[4:12, 3:15][::-1, ::-1], abs=1e-5)


def test_widths_are_clipped() -> None:
    quads = box_quads([(50, 50)] * 3, [400, 0.1, 24], [8, 8, 8], [0, 0, 0])
    assert roi_affine(quads, 8, 64)[1].tolist() == [64, 1, 24]


def test_no_lines() -> None:
    affines, widths = roi_affine(np.zeros((0, 4, 2)), 8, 64)
    strips = roi_rotate(np.ones((4, 4, 3), np.float32), affines, widths, 8, 64)
    assert strips.shape == (0, 8, 64, 3)


def test_quantized_features_give_what_their_floats_give() -> None:
    rng = np.random.default_rng(4)
    steps = rng.integers(-128, 128, (12, 20, 5)).astype(np.int8)
    scale, zero = 0.0235, -128
    floats = steps.astype(np.float32)
    floats -= zero
    floats *= np.float32(scale)
    # lines inside, across a border and outside of the map
    quads = np.array(
        [
            [[2, 2], [12, 3], [12, 6], [2, 5]],
            [[-4, -1], [6, -1], [6, 3], [-4, 3]],
            [[30, 30], [40, 30], [40, 33], [30, 33]],
        ]
    )
    affines, widths = roi_affine(quads, 8, 32)
    expected = roi_rotate(floats, affines, widths, 8, 32)
    assert np.array_equal(roi_rotate(steps, affines, widths, 8, 32, (scale, zero)), expected)
    assert expected[0].any()
    assert not expected[2].any()
