"""How well two tensors agree, gathered over many runs without keeping them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Agreement"]


@dataclass
class Agreement:
    """Agreement of a converted graph's tensor with the reference's.

    Attributes:
        max_abs: Greatest absolute difference.
        peak: Greatest absolute value of the reference.
        count: Number of values compared.
    """

    max_abs: float = 0.0
    peak: float = 0.0
    count: int = 0
    _sums: tuple[float, ...] = (0.0,) * 6

    def update(self, reference: ArrayLike, other: ArrayLike) -> None:
        """Take in the values of one run; both arrays have one shape.

        Raises:
            ValueError: The shapes differ.
        """
        x, y = np.asarray(reference, np.float64), np.asarray(other, np.float64)
        if x.shape != y.shape:
            raise ValueError(f"Cannot compare shape {y.shape} with the reference's {x.shape}.")
        error = y - x
        # Unlike Python's max, NumPy's passes a NaN on.
        self.max_abs = float(np.maximum(self.max_abs, np.abs(error).max(initial=0)))
        self.peak = float(np.maximum(self.peak, np.abs(x).max(initial=0)))
        self.count += x.size
        new = (x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum(), (error**2).sum())
        self._sums = tuple(a + float(b) for a, b in zip(self._sums, new, strict=True))

    @property
    def relative(self) -> float:
        """Greatest difference as a share of the reference's greatest value."""
        if self.max_abs == 0:
            return 0.0
        return self.max_abs / self.peak if self.peak else float("inf")

    @property
    def correlation(self) -> float:
        """Pearson's correlation over all values; 1 if both are the same constant, NaN for a NaN."""
        if not self.count:
            return float("nan")
        sx, sy, sxx, syy, sxy, _ = self._sums
        var_x = np.maximum(0.0, sxx - sx * sx / self.count)
        var_y = np.maximum(0.0, syy - sy * sy / self.count)
        covariance = sxy - sx * sy / self.count
        if var_x == 0 or var_y == 0:
            return 1.0 if self.relative < 1e-2 else 0.0
        return float(np.clip(covariance / np.sqrt(var_x * var_y), -1, 1))

    @property
    def snr_db(self) -> float:
        """Variance of the reference over the mean squared difference, in decibels."""
        if not self.count:
            return float("nan")
        sx, _, sxx, _, _, see = self._sums
        variance = max(0.0, sxx - sx * sx / self.count)
        if see == 0:
            return float("inf")
        return 10 * float(np.log10(max(variance, 1e-30) / see))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, rounded, for JSON; an exact match has no SNR."""
        snr = self.snr_db
        return {
            "max_abs": float(f"{self.max_abs:.4g}"),
            "relative": float(f"{self.relative:.4g}"),
            "correlation": round(self.correlation, 6),
            "snr_db": round(snr, 2) if np.isfinite(snr) else None,
        }
