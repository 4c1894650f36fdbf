"""Degradation of a picture by light, lens, sensor and file format.

Each step changes float32 RGB (H, W, 3) in 0..255 and returns it. ``degrade`` draws a random chain
in physical order: light, optics, resolution, sensor, file.
"""

from __future__ import annotations

import cv2
import numpy as np

from training.synth import noise

_GAMMA = 2.2
"""Exponent from pixel values to light, approximately that of sRGB."""


def highlight(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add a specular spot or band."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    x -= rng.uniform(0, width)
    y -= rng.uniform(0, height)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = (x * cos + y * sin) / np.float32(max(height, width) * rng.uniform(0.1, 1.5))
    across = (y * cos - x * sin) / np.float32(max(height, 24) * rng.uniform(0.08, 0.6))
    spot = cv2.exp(-(along**2 + across**2)) * np.float32(rng.uniform(30, 150))
    return image + spot[..., None]


def shadow(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darken one side of a soft edge."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    x -= rng.uniform(0, width)
    y -= rng.uniform(0, height)
    distance = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    softness = rng.uniform(0.5, 0.1 * max(height, width) + 1)
    side = 1 / (1 + cv2.exp(np.clip(distance / -softness, -20, 20)))
    return image * (1 - side * np.float32(rng.uniform(0.15, 0.65)))[..., None]


def vignette(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply uneven light with a wide gradient."""
    height, width = image.shape[:2]
    gain = rng.uniform(0.6, 1.3, (2, 2)).astype(np.float32)
    return image * cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]


def tone(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change exposure, contrast, gamma and white balance."""
    contrast = rng.uniform(0.45, 1.0) if rng.random() < 0.3 else rng.uniform(0.8, 1.25)
    level = rng.uniform(60, 190)
    image = (image - np.float32(level)) * np.float32(contrast) + np.float32(
        level + rng.normal(0, 22)
    )
    gamma = float(np.exp(rng.normal(0, 0.22)))
    white = (1 + rng.normal(0, 0.05, 3)).astype(np.float32) * 255
    return cv2.pow(np.clip(image, 0, 255) / np.float32(255), gamma) * white


def defocus(image: np.ndarray, rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Blur the whole picture, or a part with a soft border.

    A lens blurs light, not pixel values: bright strokes grow. Software blurs pixel values.
    """
    if rng.random() < 0.5:
        light = cv2.GaussianBlur(cv2.pow(image / np.float32(255), _GAMMA), (0, 0), sigma)
        blurred = cv2.pow(light, 1 / _GAMMA) * np.float32(255)
    else:
        blurred = cv2.GaussianBlur(image, (0, 0), sigma)
    if rng.random() < 0.65:
        return blurred
    height, width = image.shape[:2]
    share = cv2.resize(
        rng.random((2, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    share = np.clip((share - 0.4) * 4, 0, 1)[..., None]
    return image + (blurred - image) * share


def motion(image: np.ndarray, rng: np.random.Generator, length: float) -> np.ndarray:
    """Apply motion blur along a straight path of ``length`` pixels."""
    size = 2 * int(np.ceil(length / 2)) + 1
    angle = rng.uniform(0, np.pi)
    kernel = np.zeros((size, size), np.float32)
    center = size / 2 - 0.5
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    ends = [
        (round(16 * (center + s * reach[0])), round(16 * (center + s * reach[1]))) for s in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    total = float(kernel.sum())
    return cv2.filter2D(image, -1, kernel / total) if total > 0 else image


def resample(image: np.ndarray, rng: np.random.Generator, factor: float) -> np.ndarray:
    """Reduce the resolution: downsample by ``factor`` and upsample again."""
    height, width = image.shape[:2]
    small = cv2.resize(
        image,
        (max(2, round(width / factor)), max(2, round(height / factor))),
        interpolation=cv2.INTER_AREA,
    )
    how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LINEAR)[int(rng.integers(3))]
    return cv2.resize(small, (width, height), interpolation=how)


def sensor(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add shot and read noise, gray or colored, fine or blotchy."""
    height, width = image.shape[:2]
    channels = 3 if rng.random() < 0.5 else 1
    strength = rng.uniform(1, 7) if rng.random() < 0.8 else rng.uniform(7, 22)
    grain = noise.white(rng, height, width, channels)
    if channels == 1:
        grain = grain[..., None]
    if rng.random() < 0.3:
        grain = (
            cv2.GaussianBlur(np.ascontiguousarray(grain), (0, 0), 0.8).reshape(height, width, -1)
            * 2
        )
    return image + grain * np.float32(strength)


def jpeg(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Compress and decompress."""
    quality = int(rng.integers(12, 45) if rng.random() < 0.3 else rng.integers(45, 95))
    data = np.clip(image, 0, 255).astype(np.uint8)
    _, code = cv2.imencode(".jpg", data, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.float32)


def sharpen(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sharpen with halos, like phone cameras."""
    blurred = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 1.6))
    return image + (image - blurred) * rng.uniform(0.3, 1.5)


def binarize(image: np.ndarray, rng: np.random.Generator, factor: float) -> np.ndarray:
    """Make the picture nearly black and white at ``1 / factor`` of its size, like a scanner."""
    height, width = image.shape[:2]
    size = (max(2, round(width / factor)), max(2, round(height / factor)))
    gray = cv2.cvtColor(np.clip(image, 0, 255), cv2.COLOR_RGB2GRAY)
    gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    dark = np.median(gray) < 110
    gray = 255 - gray if dark else gray
    block = 2 * round(float(rng.uniform(7, 20)) / factor) + 5
    level = cv2.blur(gray, (block, block)) - rng.uniform(4, 16)
    slope = np.exp(rng.uniform(np.log(3), np.log(100)))
    gray = np.clip((gray - level) * slope + 128, 0, 255)
    how = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    gray = cv2.resize(255 - gray if dark else gray, (width, height), interpolation=how)
    return np.repeat(gray[..., None], 3, axis=2)


def degrade(
    image: np.ndarray,
    rng: np.random.Generator,
    text_height: float,
    severity: float = 1.0,
    scans: float = 0.05,
) -> np.ndarray:
    """Apply a random chain of degradations.

    Args:
        image: float32 RGB (H, W, 3), 0..255.
        rng: Random generator.
        text_height: Height in pixels of the smallest legible text; it limits blur and loss of
            resolution.
        severity: Factor of each step's probability, 0 for none, 1 for the usual mix.
        scans: Share of scans in nearly black and white, at severity 1.

    Returns:
        uint8 RGB (H, W, 3).
    """

    def chance(probability: float) -> bool:
        return rng.random() < probability * severity

    if chance(0.2):
        image = highlight(image, rng)
    if chance(0.2):
        image = shadow(image, rng)
    if chance(0.4):
        image = vignette(image, rng)
    if chance(0.7):
        image = tone(image, rng)
    if chance(0.1):
        image = np.repeat(image.mean(2, keepdims=True), 3, axis=2)
    image = np.clip(image, 0, 255).astype(np.float32)
    if chance(0.35):
        image = defocus(image, rng, rng.uniform(0.3, 1.0) * text_height * 0.065 + 0.2)
    if chance(0.15):
        image = motion(image, rng, rng.uniform(0.05, 0.22) * text_height + 1)
    if chance(0.4):
        image = resample(image, rng, rng.uniform(1.0, max(1.05, min(4.0, text_height / 8.5))))
    if chance(0.25):
        image = sharpen(image, rng)
    if chance(0.65):
        image = sensor(image, rng)
    if chance(scans):
        image = binarize(image, rng, rng.uniform(1.0, max(1.05, min(4.0, text_height / 9))))
    if chance(0.4):
        image = jpeg(image, rng)
    return np.clip(image, 0, 255).astype(np.uint8)
