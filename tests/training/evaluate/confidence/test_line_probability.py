import numpy as np
import pytest

from sdk.model.line_probability import LineProbability
from training.errors import TrainingError
from training.evaluate.confidence.line_probability import fit_line_probability
from training.evaluate.confidence.reliability import Reliability


def lines(true, count=20_000, seed=0):
    """Lines that are right as often as a map from confidences to probabilities says."""
    rng = np.random.default_rng(seed)
    confidences = 1 / (1 + np.exp(-rng.normal(3, 2, count)))
    said = np.array([true.of(c) for c in confidences])
    return Reliability(confidences, rng.random(count) < said)


@pytest.mark.parametrize(("offset", "slope"), [(-2.0, 1.2), (0.5, 0.4), (0.0, 1.0)])
def test_the_true_map_is_found(offset, slope):
    true = LineProbability(offset, slope)
    found = fit_line_probability(lines(true))
    assert (found.offset, found.slope) == (
        pytest.approx(offset, abs=0.1),
        pytest.approx(slope, 0.1),
    )
    others = lines(true, seed=1)
    told = np.array([found.of(c) for c in others.confidences])
    assert Reliability(told, others.right).ece() < 0.02
    if offset:
        assert others.ece() > 0.05


def test_no_other_map_is_more_likely():
    sample = lines(LineProbability(-1.0, 0.8), 500)

    def loss(offset, slope):
        told = [LineProbability(offset, slope).of(c) for c in sample.confidences]
        return Reliability(np.array(told), sample.right).nll()

    best = fit_line_probability(sample)
    for a, b in ((0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05)):
        assert loss(best.offset + a, best.slope + b) > loss(best.offset, best.slope)


@pytest.mark.parametrize("surest", [0.99, 1.0])
def test_confidences_that_tell_all_give_a_finite_map(surest):
    sure, unsure = [(surest, True)] * 40, [(0.2, False)] * 20
    found = fit_line_probability(Reliability.of([*sure, *unsure]))
    assert found.of(surest) > 0.99 and found.of(0.2) < 0.01


def test_confidences_of_zero_and_one_are_finite():
    points = [(1.0, True)] * 80 + [(1.0, False)] * 20 + [(0.0, False)] * 80 + [(0.0, True)] * 20
    found = fit_line_probability(Reliability.of(points))
    assert found.of(1.0) == pytest.approx(0.8, abs=0.01)
    assert found.of(0.0) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("right", [[True] * 100, [False] * 100, [True, False] * 24])
def test_too_little_to_fit_on(right):
    confidences = np.linspace(0.1, 0.9, len(right))
    with pytest.raises(TrainingError, match=rf"{len(right)} lines with text, {sum(right)} of them"):
        fit_line_probability(Reliability(confidences, np.array(right)))


def test_confidences_that_mislead_are_refused():
    points = [(0.9, False), (0.1, True)] * 50
    with pytest.raises(TrainingError, match="right no more often than others"):
        fit_line_probability(Reliability.of(points))
