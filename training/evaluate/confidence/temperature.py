"""Temperature scaling: one number per graph that makes its confidences true.

Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2: logits are divided by a
temperature that minimizes the negative log likelihood on held-back samples; no reading changes.
The sample here is a line, "the whole line is right" what is predicted, and the product of its
characters' confidences the prediction: that is what a user must decide on, and with it the
confidences of single characters come out right too. The geometric mean of a line's characters,
which bounds like ``min_confidence`` compare with, is not the probability of anything; a temperature
that made it one would ruin that of the characters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sdk.charset import Charset
from training.errors import TrainingError
from training.evaluate.confidence.lines import Labelled, reliability

__all__ = ["LEAST_LINES", "fit_temperature", "same_share"]

LEAST_LINES = 50
"""Fewer lines say too little."""

_RANGE = (0.25, 8.0)


def fit_temperature(lines: Sequence[Labelled], charset: Charset) -> float:
    """Return the temperature of least NLL of whole lines.

    Args:
        lines: Logits and labels.
        charset: Of the classes.

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
    """Return where a loss of the temperature is least, by ever finer steps."""
    low, high = np.log(_RANGE)
    best = 1.0
    for _ in range(3):
        steps = np.exp(np.linspace(low, high, 15))
        best = float(min(steps, key=lambda t: loss(float(t))))
        width = (high - low) / 14
        low, high = np.log(best) - width, np.log(best) + width
    return best


def same_share(
    lines: Sequence[Labelled], charset: Charset, before: float, after: float, bound: float
) -> tuple[float, float, float]:
    """Return what a bound on the confidence of lines means after the temperature changed.

    Args:
        lines: Logits and labels.
        charset: Of the classes.
        before: Temperature the bound was chosen at.
        after: The new one.
        bound: Of `CtcText.confidence`, 0..1.

    Returns:
        Share of the lines below the bound before and after, and the bound that would leave the
        share as it was.
    """
    old, new = (reliability(lines, charset, t)["mean"] for t in (before, after))
    share = old.below(bound)
    equal = float(np.quantile(new.confidences, share)) if 0 < share < 1 else bound
    return share, new.below(bound), equal
