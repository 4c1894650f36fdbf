"""Early stopping on the share of strings that are read right in validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EarlyStop", "validation_score"]


def validation_score(measures: Mapping[str, float]) -> float:
    """Return the measure of a validation that decides, 0 to 1.

    It is the share of exact strings: the mean over the labeled folders if there are any, because
    these are what a run is for, otherwise over the shards. For detectors it is the harmonic mean of
    precision and recall.
    """
    shares = {k: v for k, v in measures.items() if k == "exact" or k.startswith("exact_")}
    shares = {k: v for k, v in shares.items() if not k.startswith("exact_norm")}
    folders = [v for k, v in shares.items() if k != "exact"]
    values = folders or list(shares.values()) or [measures.get("hmean", 0.0)]
    return sum(values) / len(values)


class EarlyStop:
    """Ends a run after some validations without an improvement.

    Attributes:
        best: Greatest score.
        best_step: Step of this score.
        waited: Number of validations since then.
    """

    def __init__(self, patience: int, state: Mapping[str, Any] | None = None) -> None:
        """Start anew, or from a state.

        Args:
            patience: Number of validations without improvement that ends a run; 0 for no end.
            state: Values of `state` of an earlier call.
        """
        self._patience = patience
        state = state or {}
        self.best = float(state.get("best", -1.0))
        self.best_step = int(state.get("best_step", 0))
        self.waited = int(state.get("waited", 0))

    @property
    def state(self) -> dict[str, Any]:
        """Values to go on from."""
        return {"best": self.best, "best_step": self.best_step, "waited": self.waited}

    @property
    def active(self) -> bool:
        """Whether the best weights are kept."""
        return self._patience > 0

    @property
    def is_over(self) -> bool:
        """Whether the run has improved too long ago."""
        return self.active and self.waited >= self._patience

    def add(self, step: int, score: float) -> bool:
        """Count a validation, and tell whether it is the best so far."""
        if score > self.best:
            self.best, self.best_step, self.waited = score, step, 0
            return True
        self.waited += 1
        return False
