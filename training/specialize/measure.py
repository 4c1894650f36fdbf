"""Measures of a printed line: polarity, contrast, color, blur, noise, slant, strokes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk.geometry import side_lengths
from sdk.rectify.crop import expand_quad, reduce

__all__ = ["BAND_PX", "TEXT_PX", "InkMeasures", "ink_of", "line_band", "measure_ink"]

TEXT_PX = 48
"""Height of the text in a band, in pixels."""
BAND_PX = 2 * TEXT_PX
"""Height of a band: the text with half of its height above and below."""

_SLANTS = np.linspace(-0.4, 0.4, 17)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class InkMeasures:
    """How a line is printed. Lengths are shares of the text's height.

    Attributes:
        contrast: Luminance of the ink less that of the ground, -255..255. Negative: dark on light.
        color: float32 (3,), RGB of the ink less that of the ground.
        blur: Standard deviation of the blur of edges.
        noise: Standard deviation of the ground's noise in gray levels.
        slant: Shear dx/dy of the strokes; positive leans right.
        stroke: Width of the strokes.
    """

    contrast: float
    color: Floats
    blur: float
    noise: float
    slant: float
    stroke: float


def line_band(image: NDArray[np.uint8], quad: Floats) -> NDArray[np.uint8]:
    """Return a line with its surroundings, upright, its text `TEXT_PX` high.

    Args:
        image: uint8 RGB (H, W, 3).
        quad: float32 (4, 2), corners of the line in pixels.

    Returns:
        uint8 RGB (`BAND_PX`, w, 3). The box of the line begins `TEXT_PX` / 2 from each edge.
    """
    area = expand_quad(quad, 0.5)
    across, height = (max(float(x), 1.0) for x in side_lengths(quad))
    width = max(8, round(TEXT_PX * across / height) + TEXT_PX)
    scale = min(1.0, TEXT_PX / height)
    smaller = reduce(image, scale)
    area = area * np.array(
        [smaller.shape[1] / image.shape[1], smaller.shape[0] / image.shape[0]], np.float32
    )
    target = np.array([[0, 0], [width, 0], [width, BAND_PX], [0, BAND_PX]], np.float32)
    matrix = cv2.getPerspectiveTransform(area.astype(np.float32) - 0.5, target - 0.5)
    band = cv2.warpPerspective(
        smaller, matrix, (width, BAND_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(band, np.uint8)


def ink_of(band: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return the ink of a band: a mask, and 1 for light ink or -1 for dark ink.

    The ground is the median of a window that is wider than a stroke. The sign is that of the
    stronger deviations from the ground inside the line's box.

    Args:
        band: uint8 RGB from `line_band`.

    Returns:
        uint8 (h, w), 255 on ink.
    """
    gray = cv2.GaussianBlur(cv2.cvtColor(band, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    change = gray.astype(np.int16) - cv2.medianBlur(gray, 2 * (TEXT_PX // 2) + 1)
    inner = change[TEXT_PX // 2 : -TEXT_PX // 2]
    sign = 1 if np.percentile(inner, 97) > -np.percentile(inner, 3) else -1
    ink = np.clip(sign * change, 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(
        ink[TEXT_PX // 2 : -TEXT_PX // 2].copy(), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )
    return np.where(ink > level, 255, 0).astype(np.uint8), sign


def measure_ink(band: NDArray[np.uint8]) -> InkMeasures | None:
    """Return the measures of a line's print, None if the band has no ink or no ground.

    Args:
        band: uint8 RGB from `line_band`.
    """
    mask, sign = ink_of(band)
    half = TEXT_PX // 2
    text, pixels = mask[half:-half], band[half:-half].astype(np.float32)
    near = cv2.dilate(text, np.ones((5, 5), np.uint8))
    ink, ground = text > 0, near == 0
    if ink.sum() < 20 or ground.sum() < 20:
        return None
    gray = cv2.cvtColor(band[half:-half], cv2.COLOR_RGB2GRAY).astype(np.float32)
    # the middle of the strokes: their edges are mixed with the ground
    ink &= sign * gray >= np.median(sign * gray[ink])
    color = pixels[ink].mean(0) - pixels[ground].mean(0)
    contrast = float(gray[ink].mean() - gray[ground].mean())
    if abs(contrast) < 2:
        return None
    steep = np.hypot(cv2.Sobel(gray, -1, 1, 0) / 8, cv2.Sobel(gray, -1, 0, 1) / 8)
    edges = (near > 0) & (cv2.erode(text, np.ones((3, 3), np.uint8)) == 0)
    steepest = float(np.percentile(steep[edges], 90)) if edges.any() else 1.0
    # the steepest slope of a step that is blurred by a Gaussian is contrast / (sigma * sqrt(2 pi))
    blur = abs(contrast) / (max(steepest, 0.1) * np.sqrt(2 * np.pi)) / TEXT_PX
    rough = gray - cv2.medianBlur(gray.astype(np.uint8), 3)
    noise = float(np.median(np.abs(rough[ground] - np.median(rough[ground])))) * 1.48
    distance = cv2.distanceTransform(text, cv2.DIST_L2, 3)
    ridge = distance[distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8))]
    stroke = 2 * float(np.median(ridge[ridge > 0])) / TEXT_PX
    return InkMeasures(contrast, color.astype(np.float32), float(blur), noise, _slant(text), stroke)


def _slant(mask: NDArray[np.uint8]) -> float:
    """Return the shear that makes the strokes upright: the columns' sums then vary most."""
    height, width = mask.shape
    best, found = -1.0, 0.0
    for slant in _SLANTS.tolist():
        matrix = np.array([[1, slant, -slant * height / 2], [0, 1, 0]], np.float64)
        upright = cv2.warpAffine(mask, matrix, (width, height))
        varies = float((upright.sum(0, dtype=np.float64) ** 2).sum())
        if varies > best:
            best, found = varies, slant
    return found
