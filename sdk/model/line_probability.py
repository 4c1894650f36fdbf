"""The probability that a line is right, estimated from its confidence.

Platt scaling: a logistic regression on one value, here the log odds of the line's confidence (Platt
1999, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood
methods").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sdk.model.faults import wrong

__all__ = ["LineProbability", "log_odds"]


def log_odds(probability: float, surest: float = 1 - 1e-6) -> float:
    """Return the log odds of a probability or confidence, finite for 0 and 1 too.

    Args:
        probability: 0..1.
        surest: A greater probability counts as this one, below 1.
    """
    p = min(max(probability, 1e-9), surest)
    return math.log(p / (1 - p))


@dataclass(frozen=True, slots=True)
class LineProbability:
    """The map from a line's confidence to the probability that the line is right.

    Attributes:
        offset: Log odds of a line with a confidence of 1/2.
        slope: Growth of the log odds with those of the confidence, above 0.
    """

    offset: float
    slope: float

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ModelError: A value is not finite, or the slope is not above 0.
        """
        if not math.isfinite(self.offset):
            raise wrong("offset of line_probability", self.offset, "a finite number")
        if not 0 < self.slope < math.inf:
            raise wrong("slope of line_probability", self.slope, "a finite number above 0")

    def of(self, confidence: float) -> float:
        """Return the probability, 0..1, of a line with a confidence, 0..1."""
        return 0.5 + 0.5 * math.tanh(0.5 * (self.offset + self.slope * log_odds(confidence)))
