"""Agreement of confidences with accuracy.

Expected calibration error and reliability diagrams as in Guo et al. 2017, "On Calibration of Modern
Neural Networks", section 2, equations 2 and 3, but with bins of equally many samples: most
confidences are near 1, where bins of equal width would show little. The Brier score is the mean
squared difference (Brier 1950).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Bin", "Reliability", "draw_reliability"]


@dataclass(frozen=True)
class Bin:
    """Samples of similar confidence.

    Attributes:
        count: Number of samples.
        confidence: Mean confidence.
        right: Share of samples that are right.
    """

    count: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Reliability:
    """Confidences, and whether each reading was right.

    Attributes:
        confidences: float (n,), 0..1.
        right: bool (n,).
    """

    confidences: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, points: Sequence[tuple[float, bool]]) -> Reliability:
        """Return the reliability of (confidence, right) pairs."""
        return cls(
            np.array([c for c, _ in points], np.float64), np.array([r for _, r in points], bool)
        )

    def bins(self, count: int = 10) -> list[Bin]:
        """Return at most ``count`` bins of equally many samples, by rising confidence."""
        order = np.argsort(self.confidences, kind="stable")
        parts = [part for part in np.array_split(order, count) if len(part)]
        return [
            Bin(len(p), float(self.confidences[p].mean()), float(self.right[p].mean()))
            for p in parts
        ]

    def ece(self, count: int = 10) -> float:
        """Return the expected calibration error, 0..1; 0 without samples."""
        total = max(len(self.right), 1)
        return sum(b.count / total * abs(b.confidence - b.right) for b in self.bins(count))

    def brier(self) -> float:
        """Return the Brier score, 0..1; 0 without samples."""
        if not len(self.right):
            return 0.0
        return float(np.mean((self.confidences - self.right) ** 2))

    def nll(self) -> float:
        """Return the mean negative log likelihood; 0 without samples."""
        if not len(self.right):
            return 0.0
        p = np.clip(self.confidences, 1e-6, 1 - 1e-6)
        return float(-np.mean(np.where(self.right, np.log(p), np.log(1 - p))))

    def below(self, bound: float) -> float:
        """Return the share of samples below a confidence; 0 without samples."""
        return float(np.mean(self.confidences < bound)) if len(self.right) else 0.0

    def measures(self) -> dict[str, float]:
        """Return number, accuracy, mean confidence, ECE, Brier score and NLL."""
        some = len(self.right) > 0
        return {
            "count": len(self.right),
            "right": round(float(self.right.mean()), 4) if some else 0.0,
            "confidence": round(float(self.confidences.mean()), 4) if some else 0.0,
            "ece": round(self.ece(), 4),
            "brier": round(self.brier(), 4),
            "nll": round(self.nll(), 4),
        }


def draw_reliability(named: dict[str, Reliability], size: int = 360) -> np.ndarray:
    """Return diagrams of accuracy over confidence, side by side; the diagonal is perfect.

    Args:
        named: Reliabilities by title.
        size: Side of a diagram in px.

    Returns:
        uint8 (h, w, 3).
    """
    font, pad = ImageFont.load_default(13), 40
    canvas = Image.new("RGB", (max(1, len(named)) * (size + pad), size + 2 * pad), "white")
    draw = ImageDraw.Draw(canvas)
    for k, (title, points) in enumerate(named.items()):
        left, bottom = pad + k * (size + pad), pad + size
        inner = size - pad // 2

        def at(x: float, y: float, left: int = left, inner: int = inner) -> tuple[float, float]:
            return left + x * inner, bottom - y * inner  # noqa: B023

        for tick in np.linspace(0, 1, 6):
            draw.line([at(tick, 0), at(tick, 1)], fill=(230, 230, 230))
            draw.line([at(0, tick), at(1, tick)], fill=(230, 230, 230))
            x, y = at(tick, 0)
            draw.text((x - 8, y + 4), f"{tick:.1f}", fill=(90, 90, 90), font=font)
            x, y = at(0, tick)
            draw.text((x - 24, y - 8), f"{tick:.1f}", fill=(90, 90, 90), font=font)
        draw.line([at(0, 0), at(1, 1)], fill=(150, 150, 150))
        bins = points.bins()
        draw.line([at(b.confidence, b.right) for b in bins], fill=(30, 90, 200), width=2)
        most = max((b.count for b in bins), default=1)
        for b in bins:
            x, y = at(b.confidence, b.right)
            r = 2 + 3 * b.count / most
            draw.ellipse((x - r, y - r, x + r, y + r), fill=(30, 90, 200))
        caption = f"{title}: n {len(points.right)}, ECE {points.ece():.3f}"
        draw.text((left, pad // 2 + 8), caption, fill=(0, 0, 0), font=font)
    return np.asarray(canvas)
