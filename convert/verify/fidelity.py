"""Fidelity of a converted tensor to its reference, accumulated over many runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Fidelity"]


@dataclass
class Fidelity:
    """Fidelity of a tensor of a converted graph to the reference.

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
        """Add the values of one run; both arrays have the same shape.

        Raises:
            ValueError: The shapes differ.
        """
        x, y = np.asarray(reference, np.float64), np.asarray(other, np.float64)
        if x.shape != y.shape:
            raise ValueError(f"Cannot compare shape {y.shape} with the reference's {x.shape}.")
        error = y - x
        # unlike Python's max, NumPy's maximum propagates NaN
        self.max_abs = float(np.maximum(self.max_abs, np.abs(error).max(initial=0)))
        self.peak = float(np.maximum(self.peak, np.abs(x).max(initial=0)))
        self.count += x.size
        new = (x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum(), (error**2).sum())
        self._sums = tuple(a + float(b) for a, b in zip(self._sums, new, strict=True))

    @property
    def relative(self) -> float:
        """Greatest difference as a share of the reference's peak."""
        if self.max_abs == 0:
            return 0.0
        return self.max_abs / self.peak if self.peak else float("inf")

    @property
    def correlation(self) -> float:
        """Pearson's correlation of all values; 1 for equal constants, NaN if a value is NaN."""
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
        """Signal-to-noise ratio: variance of the reference by mean squared difference, in dB."""
        if not self.count:
            return float("nan")
        sx, _, sxx, _, _, see = self._sums
        variance = max(0.0, sxx - sx * sx / self.count)
        if see == 0:
            return float("inf")
        return 10 * float(np.log10(max(variance, 1e-30) / see))

    def to_dict(self) -> dict[str, Any]:
        """Return rounded values for JSON; the SNR of an exact match is None."""
        snr = self.snr_db
        return {
            "max_abs": float(f"{self.max_abs:.4g}"),
            "relative": float(f"{self.relative:.4g}"),
            "correlation": round(self.correlation, 6),
            "snr_db": round(snr, 2) if np.isfinite(snr) else None,
        }
