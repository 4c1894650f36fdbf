"""Light augmentation of line images and crops, so that one generated picture serves many times.

Each change costs a fraction of a millisecond. Prints, materials and lenses are the generator's
work.
"""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["change_tones", "place_line", "soften"]

_LEVELS = np.linspace(0, 1, 256, dtype=np.float32)
_MOST_LEVELS = 1, 99
"""Percentiles of a picture's levels between which no tones are clipped."""
_TO_CHROMA = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
"""From RGB to brightness and two color differences (YIQ)."""
_FROM_CHROMA = np.linalg.inv(_TO_CHROMA)


def place_line(
    image: np.ndarray, rng: np.random.Generator, width: int, frame: int, still: bool
) -> np.ndarray:
    """Return a line image scaled to ``width`` columns at the left of a frame.

    Args:
        image: uint8 (32, w, 3).
        rng: Random generator.
        width: Columns of the scaled line image, at most ``frame``.
        frame: Columns of the result; the columns after the line image repeat its last column.
        still: Whether shift, slant and vertical scale are left out.

    Returns:
        uint8 (32, frame, 3).
    """
    rows, columns = image.shape[:2]
    sx = width / columns
    if still:
        sy, slant, dx, dy = 1.0, 0.0, 0.0, 0.0
    else:
        # nearly as wide as the candidate views; a line that loses the start of its first character
        # teaches the network to read edges beside a line as characters
        sy = rng.uniform(0.83, 1.12)
        slant = rng.uniform(-0.14, 0.14)
        dx, dy = rng.uniform(-1, 2.5), rng.uniform(-2, 2)
    # the slant turns around the middle row; pixel centers are at +0.5, cv2 counts from 0
    middle = rows / 2
    matrix = np.array(
        [
            [sx, -slant, dx + 0.5 * sx - 0.5 + slant * (middle - 0.5)],
            [0.0, sy, dy + middle - sy * middle + 0.5 * sy - 0.5],
        ]
    )
    placed = cv2.warpAffine(
        image,
        matrix,
        (width, rows),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if width == frame:
        return placed
    return cv2.copyMakeBorder(placed, 0, 0, 0, frame - width, cv2.BORDER_REPLICATE)


def change_tones(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture with random brightness, contrast, gamma and colors, sometimes inverted.

    Hue and saturation vary widely: the light of a display has any color, and so has its text.

    Args:
        image: uint8 (H, W, 3).
        rng: Random generator.
    """
    curve = _LEVELS ** np.exp(rng.normal(0, 0.3))
    gain, bias = np.exp(rng.normal(0, 0.25)), rng.normal(0, 0.12)
    curve = (curve - 0.5) * gain + 0.5 + bias
    if rng.random() < 0.12:
        curve = 1 - curve
    curves = np.repeat(curve[:, None], 3, 1)
    if rng.random() < 0.4:
        curves = curves * np.exp(rng.normal(0, 0.12, 3)) + rng.normal(0, 0.04, 3)
    curves = _unclipped(curves, image)
    table = np.clip(curves * 255 + 0.5, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    changed = cv2.LUT(image, table)
    if rng.random() < 0.3:
        changed = cv2.transform(changed, _recoloring(rng))
    if rng.random() < 0.1:
        gray = cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY)
        changed = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    return changed


def _unclipped(curves: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return curves (256, 3), shifted so that they do not clip most of a picture's levels.

    Pale text on white would vanish.
    """
    ends = curves[np.percentile(image[::4, ::4], _MOST_LEVELS).astype(int)]
    low, high = float(ends.min()), float(ends.max())
    if high - low > 1:
        return curves
    return curves - min(low, 0) - max(high - 1, 0)


def _recoloring(rng: np.random.Generator) -> np.ndarray:
    """Return a 3x3 matrix of RGB that turns the hue and scales the saturation."""
    angle, scale = rng.uniform(-np.pi, np.pi), np.exp(rng.normal(0.2, 0.6))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turned = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return _FROM_CHROMA @ turned @ _TO_CHROMA


def soften(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture, sometimes blurred, of lower resolution, or with noise.

    Args:
        image: uint8 (H, W, 3).
        rng: Random generator.
    """
    if rng.random() < 0.15:
        sigma = rng.uniform(0.4, 1.3)
        image = cv2.GaussianBlur(image, (0, 0), sigma, sigma * rng.uniform(0.5, 1.5))
    if rng.random() < 0.12:
        height, width = image.shape[:2]
        scale = rng.uniform(0.45, 0.9)
        small = cv2.resize(
            image,
            (max(1, round(width * scale)), round(height * scale)),
            interpolation=cv2.INTER_AREA,
        )
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        noise = np.empty(image.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(1 << 31)))
        cv2.randn(noise, 0, rng.uniform(2, 12))
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    return image
