"""Random colors of surfaces and inks."""

from __future__ import annotations

import colorsys

import numpy as np

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def luminance(color: np.ndarray) -> float:
    """Return the luminance 0..255 of an RGB color (ITU-R BT.601)."""
    return float(np.asarray(color, np.float32) @ _LUMA)


def random_color(
    rng: np.random.Generator,
    hue: tuple[float, float] = (0.0, 1.0),
    saturation: tuple[float, float] | None = None,
    value: tuple[float, float] = (0.05, 1.0),
) -> np.ndarray:
    """Return a random RGB color, float32 (3,) in 0..255; half of all are close to gray."""
    if saturation is None:
        saturation = (0.0, 0.15) if rng.random() < 0.5 else (0.15, 1.0)
    rgb = colorsys.hsv_to_rgb(rng.uniform(*hue), rng.uniform(*saturation), rng.uniform(*value))
    return np.array(rgb, np.float32) * 255


def ink_color(
    rng: np.random.Generator, background: np.ndarray, contrast: float, dark: bool
) -> np.ndarray:
    """Return an ink about ``contrast`` luminance steps from ``background``.

    Args:
        rng: Random generator.
        background: RGB color (3,) below the ink.
        contrast: Wanted difference of luminance, 0..255.
        dark: Whether the ink is darker than the background; reversed if the range is too small.
    """
    level = luminance(background)
    room = level if dark else 255 - level
    if room < min(contrast, 40):
        dark = not dark
    target = level - contrast if dark else level + contrast
    color = random_color(rng)
    if rng.random() < 0.6:  # most inks are black, white or close to it
        color = np.full(3, luminance(color), np.float32) + rng.normal(0, 6, 3).astype(np.float32)
    return np.clip(color + (target - luminance(color)), 0, 255).astype(np.float32)
