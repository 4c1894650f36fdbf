"""Which characters of a generated line a person can recognize.

A network that is trained on illegible text learns to guess, and a score on illegible text has a
ceiling. The ink of a generated line is known, so that its picture can be compared with it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk.geometry import map_points
from training.synth.block import PrintedLine

__all__ = ["inside", "likeness"]

_FINEST, _COARSEST = 0.025, 0.09
"""Blurs between which strokes lie, standard deviations as shares of the text's height.

Finer structures are noise that an eye averages out, coarser ones are light and shadow.
"""
_UNSEEN = 2.0
"""Standard deviation of RGB differences that nobody sees, 0..255."""


def inside(line: PrintedLine, matrix: np.ndarray, size: tuple[int, int]) -> float:
    """Return the share of a character's ink inside a picture, the least of a line's characters.

    Args:
        line: A straight line.
        matrix: 3x3 homography from the line's block to the picture.
        size: (width, height) of the picture in pixels.
    """
    shares = [1.0]
    for left, _, right, _ in np.round(line.ink.chars).astype(int):
        rows, columns = np.nonzero(line.ink.mask[:, left:right] > 127)
        if not len(rows):
            continue
        centers = np.stack([line.x + left + columns + 0.5, line.y + rows + 0.5], 1)
        points = map_points(centers, matrix)
        shares.append(float(((points >= 0) & (points <= size)).all(1).mean()))
    return min(shares)


def likeness(image: NDArray[np.uint8], ink: np.ndarray, chars: np.ndarray, text: str) -> float:
    """Return how much a picture shows of a character's ink, the least of letters and digits.

    This is the correlation of the picture with the ink at the scale of strokes. Noise, texture,
    glare, darkness, blur and compression lower it.

    Args:
        image: uint8 RGB (H, W, 3), the picture as it was photographed.
        ink: float (H, W, 3), the change of the painted picture by the ink before blur and noise.
        chars: float (n, 4, 2), a quad for each character of ``text`` in pixels.
        text: The n characters.

    Returns:
        -1..1; 0 for a character without ink in the picture.
    """
    change = ink.astype(np.float32)
    pixels = change.reshape(-1, 3)
    color = np.linalg.eigh(pixels.T @ pixels)[1][:, -1].astype(np.float32)  # that changes most
    height = float(np.median(np.linalg.norm(chars[:, 3] - chars[:, 0], axis=1)))
    wanted = _strokes(change @ color, height)
    shown = _strokes(image.astype(np.float32) @ color, height)
    least = 1.0
    for quad, char in zip(chars, text, strict=True):
        if not char.isalnum():
            continue
        left, top = np.maximum(np.floor(quad.min(0) - 0.1 * height), 0).astype(int)
        right, bottom = np.ceil(quad.max(0) + 0.1 * height).astype(int)
        a, b = (x[top : max(bottom, 0), left : max(right, 0)].ravel() for x in (wanted, shown))
        if not a.size:
            return 0.0
        a, b = a - a.mean(), b - b.mean()
        norm = np.linalg.norm(a) * np.sqrt(b @ b + b.size * _UNSEEN**2)
        least = min(least, float(a @ b / max(float(norm), 1e-6)))
    return least


def _strokes(values: NDArray[np.float32], height: float) -> NDArray[np.float32]:
    """Return the structures of the size of strokes in a line of a text ``height`` pixels high."""
    fine, coarse = (
        cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        for sigma in (max(_FINEST * height, 0.4), max(_COARSEST * height, 0.8))
    )
    return np.asarray(fine - coarse, np.float32)
