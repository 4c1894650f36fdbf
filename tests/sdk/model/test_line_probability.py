"""The probability that a line is right, from its confidence."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.errors import ModelError
from sdk.model.line_probability import LineProbability


def test_values_by_hand() -> None:
    # the log odds of 0.9 are ln 9
    assert LineProbability(0.0, 1.0).of(0.9) == pytest.approx(0.9)
    assert LineProbability(-math.log(9), 1.0).of(0.9) == pytest.approx(0.5)
    assert LineProbability(0.0, 2.0).of(0.9) == pytest.approx(81 / 82)
    assert LineProbability(math.log(3), 5.0).of(0.5) == pytest.approx(0.75)


@given(st.floats(-1e300, 1e300), st.floats(1e-3, 1e300), st.lists(st.floats(0, 1), min_size=2))
def test_a_surer_line_is_no_less_probable(offset: float, slope: float, sure: list[float]) -> None:
    said = list(map(LineProbability(offset, slope).of, sorted(sure)))
    assert said == sorted(said)
    assert 0 <= said[0] <= said[-1] <= 1


@pytest.mark.parametrize(
    ("offset", "slope"),
    [(math.nan, 1), (math.inf, 1), (0, 0), (0, -1), (0, math.nan), (0, math.inf)],
)
def test_other_values_are_refused(offset: float, slope: float) -> None:
    with pytest.raises(ModelError, match=r"line_probability is .*a finite number"):
        LineProbability(offset, slope)
