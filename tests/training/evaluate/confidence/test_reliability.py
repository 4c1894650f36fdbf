import numpy as np
import pytest

from training.evaluate.confidence.reliability import Reliability, draw_reliability


def test_measures_by_hand():
    r = Reliability.of([(0.9, True), (0.9, False), (0.1, False), (0.3, True)])
    low, high = r.bins(2)
    assert (low.count, low.confidence, low.right) == (2, pytest.approx(0.2), 0.5)
    assert (high.count, high.confidence, high.right) == (2, pytest.approx(0.9), 0.5)
    assert r.ece(2) == pytest.approx(0.35)
    assert r.brier() == pytest.approx((0.01 + 0.81 + 0.01 + 0.49) / 4)
    assert r.nll() == pytest.approx(-np.mean(np.log([0.9, 0.1, 0.9, 0.3])))
    assert r.below(0.9) == 0.5
    assert r.measures()["right"] == 0.5


def test_true_confidences_have_no_error():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    true = Reliability(p, rng.random(len(p)) < p)
    assert true.ece() < 0.02
    assert Reliability(np.sqrt(p), true.right).ece() > 0.1


def test_certain_and_wrong_is_finite():
    assert np.isfinite(Reliability.of([(1.0, False), (0.0, True)]).nll())


def test_nothing_to_judge():
    none = Reliability.of([])
    assert none.measures() == dict.fromkeys(
        ["count", "right", "confidence", "ece", "brier", "nll"], 0
    )
    assert none.bins() == [] and none.below(0.5) == 0


def test_diagram_shows_the_points():
    sure = Reliability.of([(0.99, True)] * 50)
    unsure = Reliability.of([(0.5, False)] * 50)
    one, two, empty = (draw_reliability({"x": r}) for r in (sure, unsure, Reliability.of([])))
    assert one.shape == two.shape and (one != two).any() and (one != empty).any()
    assert draw_reliability({"a": sure, "b": unsure}).shape[1] == 2 * one.shape[1]
