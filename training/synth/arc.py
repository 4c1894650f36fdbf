"""Arcs: lines of text bent round a circle, as on caps, cans, badges and signs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_STEPS = 17
"""Points along each edge of a box that its bent outline is measured by."""
_LEAST_RADIUS = 0.8
"""Radius of the middle line as a multiple of the line's height: letters' feet must not cross."""


def _turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos - y * sin, x * sin + y * cos


@dataclass(frozen=True)
class Arc:
    """Bends a straight line of text; its middle row keeps its length, its letters stand radially.

    Attributes:
        width: Width of the straight line, pixels.
        height: Its height, pixels.
        angle: How far the line turns from its start to its end, radians: positive if its ends rise
            above its middle, negative if they fall below, 0 if it is straight. Limited so that
            letters keep their order.
        tilt: Clockwise turn of the whole line about its middle, radians.
    """

    width: float
    height: float
    angle: float
    tilt: float = 0.0

    @property
    def _radius(self) -> float:
        """Radius of the middle row, with the sign of the angle."""
        least = _LEAST_RADIUS * self.height
        return float(np.copysign(max(self.width / max(abs(self.angle), 1e-6), least), self.angle))

    def bend(self, points: np.ndarray) -> np.ndarray:
        """Return points (..., 2) of the straight line where they lie on the arc, float64."""
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
        """Return a uint8 mask (height, width) bent, and the place x, y of its first pixel."""
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
