"""Arcs: lines of text on a circle, as on caps, cans, badges and signs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_STEPS = 17
"""Number of points along each edge of a box that represent its bent outline."""
_LEAST_RADIUS = 0.8
"""Least radius of the center line, in heights of the line: letters must not overlap."""


def _turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos - y * sin, x * sin + y * cos


@dataclass(frozen=True)
class Arc:
    """Bends a straight line of text to an arc; the center line keeps its length.

    Attributes:
        width: Width of the straight line in pixels.
        height: Height of the straight line in pixels.
        angle: Angle of the arc in radians: positive if the ends are above the middle, negative if
            they are below, 0 for a straight line. Limited so that letters do not overlap.
        tilt: Clockwise rotation of the whole line about its center in radians.
    """

    width: float
    height: float
    angle: float
    tilt: float = 0.0

    @property
    def _radius(self) -> float:
        """Radius of the center line, with the sign of the angle."""
        least = _LEAST_RADIUS * self.height
        return float(np.copysign(max(self.width / max(abs(self.angle), 1e-6), least), self.angle))

    def bend(self, points: np.ndarray) -> np.ndarray:
        """Return the positions on the arc of points (..., 2) of the straight line, float64."""
        radius = self._radius
        along = (points[..., 0] - self.width / 2) / radius
        across = radius + points[..., 1] - self.height / 2
        x, y = _turned(across * np.sin(along), across * np.cos(along) - radius, self.tilt)
        return np.stack([x + self.width / 2, y + self.height / 2], axis=-1)

    def extent(
        self, x0: float, y0: float, x1: float, y1: float
    ) -> tuple[float, float, float, float]:
        """Return the upright box x0, y0, x1, y1 around a bent box."""
        xs, ys = np.linspace(x0, x1, _STEPS), np.linspace(y0, y1, _STEPS)
        edges = [np.stack(np.broadcast_arrays(xs, y), -1) for y in (y0, y1)]
        edges += [np.stack(np.broadcast_arrays(x, ys), -1) for x in (x0, x1)]
        bent = self.bend(np.concatenate(edges))
        low, high = bent.min(0), bent.max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def bend_mask(self, mask: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
        """Return a uint8 mask (height, width) bent to the arc, and x, y of its first pixel."""
        x0, y0, x1, y1 = self.extent(0, 0, self.width, self.height)
        left, top = int(np.floor(x0)), int(np.floor(y0))
        x, y = np.meshgrid(
            np.arange(left, int(np.ceil(x1))) + 0.5, np.arange(top, int(np.ceil(y1))) + 0.5
        )
        radius = self._radius
        x, y = _turned(x - self.width / 2, y - self.height / 2, -self.tilt)
        sign = np.sign(radius)
        source_x = self.width / 2 + radius * np.arctan2(sign * x, sign * (y + radius))
        source_y = self.height / 2 + sign * np.hypot(x, y + radius) - radius
        bent = cv2.remap(
            mask,
            (source_x - 0.5).astype(np.float32),  # cv2 counts pixel centers from 0
            (source_y - 0.5).astype(np.float32),
            cv2.INTER_LINEAR,
        )
        return bent, (left, top)
