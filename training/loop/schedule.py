"""Learning rate: linear warm-up, then a cosine down to a share of the peak.

Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5 without
restarts. Progress may be counted in steps or in minutes, so that a run can end at a given time.
"""

from __future__ import annotations

import math

__all__ = ["learning_rate"]


def learning_rate(step: int, progress: float, peak: float, warmup: int, last: float) -> float:
    """Return the learning rate of a step.

    Args:
        step: Number of completed steps.
        progress: Progress of the run, 0 to 1.
        peak: Greatest learning rate.
        warmup: Steps of linear warm-up.
        last: Rate at the end as a share of the peak; 1 for a constant rate.
    """
    cosine = 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
    return peak * min(1.0, (step + 1) / max(1, warmup)) * (last + (1 - last) * cosine)
