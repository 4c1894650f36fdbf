"""Temperature scaling: one number for each graph that calibrates its confidences.

Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2: logits are divided by a
temperature that minimizes the negative log likelihood (NLL) on held-back samples; no reading
changes. A sample is a line. The event is that the whole line is right, and its predicted
probability is the product of the characters' confidences. Users decide on whole lines, and this
temperature calibrates the confidences of single characters too. The geometric mean of a line's
characters, which thresholds like ``min_confidence`` compare with, is not a probability; a
temperature fitted to that mean would spoil the confidences of the characters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sdk.charset import Charset
from training.errors import TrainingError
from training.evaluate.confidence.labeled_logits import LabeledLogits, reliability

__all__ = ["LEAST_LINES", "fit_temperature", "same_share"]

LEAST_LINES = 50
"""Least number of lines for a fit."""

_RANGE = (0.25, 8.0)


def fit_temperature(lines: Sequence[LabeledLogits], charset: Charset) -> float:
    """Return the temperature with the least NLL of whole lines.

    Args:
        lines: Logits and labels.
        charset: Charset of the classes.

    Raises:
        TrainingError: There are too few lines, or all are right or all wrong.
    """
    at_one = reliability(lines, charset, 1.0)["lines"]
    if len(at_one.right) < LEAST_LINES or len(set(at_one.right.tolist())) < 2:
        raise TrainingError(
            f"Cannot fit a temperature: {len(at_one.right)} lines with text, "
            f"{int(at_one.right.sum())} of them right. At least {LEAST_LINES} are needed, some "
            "right and some wrong. Give more held-back shards."
        )
    return round(_least(lambda t: reliability(lines, charset, t)["lines"].nll()), 3)


def _least(loss: Callable[[float], float]) -> float:
    """Return the temperature with the least loss, by a grid search with finer and finer steps."""
    low, high = np.log(_RANGE)
    best = 1.0
    for _ in range(3):
        steps = np.exp(np.linspace(low, high, 15))
        best = float(min(steps, key=lambda t: loss(float(t))))
        width = (high - low) / 14
        low, high = np.log(best) - width, np.log(best) + width
    return best


def same_share(
    lines: Sequence[LabeledLogits], charset: Charset, before: float, after: float, bound: float
) -> tuple[float, float, float]:
    """Return the effect of a changed temperature on a threshold for the confidence of lines.

    Args:
        lines: Logits and labels.
        charset: Charset of the classes.
        before: Temperature for which the threshold was chosen.
        after: The new temperature.
        bound: Threshold for `CtcText.confidence`, 0 to 1.

    Returns:
        Share of the lines below the threshold before and after, and the threshold that keeps the
        share.
    """
    old, new = (reliability(lines, charset, t)["mean"] for t in (before, after))
    share = old.below(bound)
    equal = float(np.quantile(new.confidences, share)) if 0 < share < 1 else bound
    return share, new.below(bound), equal
