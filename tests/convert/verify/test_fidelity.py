from __future__ import annotations

import math

import numpy as np
import pytest

from convert.verify.fidelity import Agreement


def test_figures_equal_numpy_over_several_runs() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(3, 2, (5, 4, 7)).astype(np.float32)
    y = x + rng.normal(0, 0.1, x.shape).astype(np.float32)
    agreement = Agreement()
    for a, b in zip(x, y, strict=True):
        agreement.update(a, b)
    difference = np.abs(y.astype(np.float64) - x)
    assert agreement.max_abs == pytest.approx(difference.max())
    assert agreement.relative == pytest.approx(difference.max() / np.abs(x).max())
    assert agreement.correlation == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1])
    snr = 10 * np.log10(x.astype(np.float64).var() / (difference**2).mean())
    assert agreement.snr_db == pytest.approx(snr, abs=1e-3)


def test_equal_values_agree_wholly() -> None:
    agreement = Agreement()
    agreement.update([1.0, 2.0], [1.0, 2.0])
    assert (agreement.max_abs, agreement.relative) == (0, 0)
    assert agreement.correlation == pytest.approx(1)
    assert agreement.snr_db == math.inf
    assert agreement.to_dict()["snr_db"] is None


def test_a_dead_output_does_not_pass_for_agreement() -> None:
    agreement = Agreement()
    agreement.update([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert agreement.correlation == 0


@pytest.mark.parametrize("values", [[1.0, math.nan, 3.0], [math.nan] * 3])
def test_not_a_number_is_no_agreement(values: list[float]) -> None:
    agreement = Agreement()
    agreement.update([1.0, 2.0, 3.0], values)
    agreement.update([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert math.isnan(agreement.max_abs)
    assert math.isnan(agreement.relative)
    assert math.isnan(agreement.correlation)


def test_constants_agree_only_if_they_are_the_same() -> None:
    same, other = Agreement(), Agreement()
    same.update([2.0, 2.0], [2.001, 2.001])
    other.update([2.0, 2.0], [3.0, 3.0])
    assert (same.correlation, other.correlation) == (1, 0)


def test_nothing_compared_is_no_agreement() -> None:
    assert math.isnan(Agreement().correlation)


def test_other_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        Agreement().update(np.zeros((2, 3)), np.zeros((3, 2)))
