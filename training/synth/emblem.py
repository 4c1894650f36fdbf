"""Emblems: small pictures beside and between characters, which are not text.

A few overlapping shapes imitate seals, animals, flags and stickers on number plates and labels. A
single shape at both ends of a vehicle identification number is its delimiter (ISO 4030).
"""

from __future__ import annotations

import cv2
import numpy as np

from training.synth.block import Surface, corners
from training.synth.color import random_color

__all__ = ["delimiters", "emblem"]


def emblem(
    rng: np.random.Generator, box: tuple[float, float, float, float]
) -> tuple[np.ndarray, Surface]:
    """Return quad and surface of an emblem in a box, for ``Block.surfaces``.

    Args:
        rng: Random generator.
        box: x0, y0, x1, y1 in the block.
    """
    seed = int(rng.integers(2**31))

    def paint(patch: np.ndarray, coverage: np.ndarray) -> None:
        local = np.random.default_rng(seed)
        for _ in range(int(local.integers(1, 6))):
            center, radius = local.uniform(0.3, 0.7, 2), local.uniform(0.12, 0.45, 2)
            mask = _shape(local, coverage, center, radius)
            patch += (random_color(local) - patch) * mask[..., None]

    return corners(*box), paint


def delimiters(
    rng: np.random.Generator, box: tuple[float, float, float, float]
) -> list[tuple[np.ndarray, Surface]]:
    """Return quads and surfaces of the same shape before and behind a line of text.

    Args:
        rng: Random generator.
        box: x0, y0, x1, y1 of the text in the block.
    """
    x0, y0, x1, y1 = box
    seed, color = int(rng.integers(2**31)), random_color(rng)
    size = rng.uniform(0.6, 1.05) * (y1 - y0)
    top = y0 + (y1 - y0 - size) * rng.uniform(0.2, 0.8)
    gap = rng.uniform(0.0, 0.6) * (y1 - y0)

    def paint(patch: np.ndarray, coverage: np.ndarray) -> None:
        local = np.random.default_rng(seed)
        mask = _shape(local, coverage, np.full(2, 0.5), local.uniform(0.3, 0.48, 2))
        patch += (color - patch) * mask[..., None]

    starts = x0 - gap - size, x1 + gap
    return [(corners(x, top, x + size, top + size), paint) for x in starts]


def _shape(
    rng: np.random.Generator, coverage: np.ndarray, center: np.ndarray, radius: np.ndarray
) -> np.ndarray:
    """Return the coverage of a disc, ring, star, bar or blot, drawn to a sixteenth of a pixel.

    Args:
        rng: Random generator.
        coverage: float32 (H, W), 0..1, of the patch around the shape.
        center: x and y as shares of the patch.
        radius: Along x and y, as shares of the patch.

    Returns:
        float32 (H, W), 0..1.
    """
    size, mask = np.array(coverage.shape[::-1]), np.zeros(coverage.shape, np.float32)
    center, radius = center * size, radius * size
    count = int(rng.choice([3, 4, 5, 10, 24]))
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 2 * np.pi)
    reach = np.ones(count)
    if count == 10:  # a star of five points
        reach[::2] = rng.uniform(0.35, 0.6)
    elif rng.random() < 0.5:
        reach = rng.uniform(0.5, 1.0, count)
    points = center + np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None] * radius
    outline = np.round(points * 16).astype(np.int32)
    if rng.random() < 0.3:
        width = max(1, round(float(radius.min()) * rng.uniform(0.1, 0.4)))
        cv2.polylines(mask, [outline], True, 1.0, width, cv2.LINE_AA, 4)
    else:
        cv2.fillPoly(mask, [outline], 1.0, cv2.LINE_AA, 4)
    return mask * coverage
