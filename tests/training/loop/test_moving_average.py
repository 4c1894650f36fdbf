import keras
import numpy as np
import pytest

from training.loop.moving_average import MovingAverage
from training.loop.schedule import learning_rate


def test_momentum_one_is_the_mean_of_the_first_and_all_later_weights():
    weights = np.random.default_rng(1).normal(size=(201, 4)).astype(np.float32)
    variable = keras.Variable(weights[0])
    average = MovingAverage([weights[0]], 1.0)
    for step in range(1, 101):
        variable.assign(weights[step])
        average.update(step, [variable])
    # a resumed run knows the mean and the step, nothing else
    average = MovingAverage(average.values, 1.0)
    for step in range(101, 201):
        variable.assign(weights[step])
        average.update(step, [variable])
    used = weights[:: MovingAverage.EVERY]
    np.testing.assert_allclose(average.values[0], used.mean(0), atol=1e-6)


def test_momentum_below_one_forgets():
    variable = keras.Variable(np.ones(1, np.float32))
    average = MovingAverage([np.zeros(1, np.float32)], 0.9)
    for step in range(1, 101):
        average.update(step, [variable])
    assert average.values[0] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("last", "end"), [(1.0, 2.0), (0.25, 0.5), (0.01, 0.02)])
def test_the_rate_ends_at_a_share_of_its_peak(last: float, end: float):
    assert learning_rate(10, 0.0, 2.0, 10, last) == pytest.approx(2.0)
    assert learning_rate(99, 1.0, 2.0, 10, last) == pytest.approx(end)
