from __future__ import annotations

import math

import numpy as np
import pytest

from convert.verify.fidelity import Fidelity


def test_figures_equal_numpy_over_several_runs() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(3, 2, (5, 4, 7)).astype(np.float32)
    y = x + rng.normal(0, 0.1, x.shape).astype(np.float32)
    fidelity = Fidelity()
    for a, b in zip(x, y, strict=True):
        fidelity.update(a, b)
    difference = np.abs(y.astype(np.float64) - x)
    assert fidelity.max_abs == pytest.approx(difference.max())
    assert fidelity.relative == pytest.approx(difference.max() / np.abs(x).max())
    assert fidelity.correlation == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1])
    snr = 10 * np.log10(x.astype(np.float64).var() / (difference**2).mean())
    assert fidelity.snr_db == pytest.approx(snr, abs=1e-3)


def test_equal_values_agree_wholly() -> None:
    fidelity = Fidelity()
    fidelity.update([1.0, 2.0], [1.0, 2.0])
    assert (fidelity.max_abs, fidelity.relative) == (0, 0)
    assert fidelity.correlation == pytest.approx(1)
    assert fidelity.snr_db == math.inf
    assert fidelity.to_dict()["snr_db"] is None


def test_a_dead_output_has_no_fidelity() -> None:
    fidelity = Fidelity()
    fidelity.update([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert fidelity.correlation == 0


@pytest.mark.parametrize("values", [[1.0, math.nan, 3.0], [math.nan] * 3])
def test_not_a_number_is_no_fidelity(values: list[float]) -> None:
    fidelity = Fidelity()
    fidelity.update([1.0, 2.0, 3.0], values)
    fidelity.update([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert math.isnan(fidelity.max_abs)
    assert math.isnan(fidelity.relative)
    assert math.isnan(fidelity.correlation)


def test_constants_agree_only_if_they_are_the_same() -> None:
    same, other = Fidelity(), Fidelity()
    same.update([2.0, 2.0], [2.001, 2.001])
    other.update([2.0, 2.0], [3.0, 3.0])
    assert (same.correlation, other.correlation) == (1, 0)


def test_nothing_compared_is_no_fidelity() -> None:
    assert math.isnan(Fidelity().correlation)


def test_other_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        Fidelity().update(np.zeros((2, 3)), np.zeros((3, 2)))
