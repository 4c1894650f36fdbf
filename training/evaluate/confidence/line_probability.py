"""The fit of `sdk.model.line_probability`: a logistic regression of right and wrong lines.

Unlike a temperature it is fitted on final readings, which are chosen from several views. Readings
that agree are more often right than the product of the characters' confidences tells.
"""

from __future__ import annotations

import numpy as np

from sdk.model.line_probability import LineProbability, log_odds
from training.errors import TrainingError
from training.evaluate.confidence.reliability import Reliability
from training.evaluate.confidence.temperature import LEAST_LINES

__all__ = ["fit_line_probability"]

# Keeps the fit finite if a confidence separates all right lines from all wrong ones.
_RIDGE = 1e-6

_MOST_STEPS = 100


def fit_line_probability(lines: Reliability) -> LineProbability:
    """Return the map from confidence to probability with the greatest likelihood.

    Args:
        lines: Confidence of each line, and whether the line is right.

    Raises:
        TrainingError: There are too few lines, all are right or all wrong, or lines of a high
            confidence are right no more often than others.
    """
    count, right = len(lines.right), int(lines.right.sum())
    if count < LEAST_LINES or right in (0, count):
        raise TrainingError(
            f"Cannot fit the probability of lines: {count} lines with text, {right} of them right. "
            f"At least {LEAST_LINES} are needed, some right and some wrong. Give more held-back "
            "shards."
        )
    x = np.array([[1.0, log_odds(c)] for c in lines.confidences])
    weights = np.zeros(2)
    for _ in range(_MOST_STEPS):  # Newton's method
        p = 0.5 + 0.5 * np.tanh(0.5 * x @ weights)
        gradient = x.T @ (p - lines.right) + _RIDGE * weights
        curvature = (x.T * (p * (1 - p))) @ x + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    offset, slope = (round(float(w), 3) for w in weights)
    if not slope > 0:
        raise TrainingError(
            f"Cannot fit the probability of lines: lines of a high confidence are right no more "
            f"often than others (slope {slope:g}). Check the labels, or give more held-back shards."
        )
    return LineProbability(offset, slope)
