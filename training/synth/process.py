"""Print processes: change of a surface's pixels by an ink mask.

A process takes the surface (float32 RGB (H, W, 3), changed in place), the coverage of the ink
(float32 (H, W), 0..1) and a random generator. Lines of one print share the generator's seed, so
that they have the same ink.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from training.synth import noise
from training.synth.color import ink_color, random_color

Process = Callable[[np.ndarray, np.ndarray, np.random.Generator], None]


def _background(surface: np.ndarray) -> np.ndarray:
    return surface[:: max(1, len(surface) // 8), :: max(1, surface.shape[1] // 16)].mean((0, 1))


def _blend(surface: np.ndarray, coverage: np.ndarray, color: np.ndarray) -> None:
    surface += (color - surface) * coverage[..., None]


def _cast(coverage: np.ndarray, x: float, y: float) -> np.ndarray:
    """Return the soft shadow of the ink, ``x`` to the right and ``y`` down, in pixels."""
    shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return cv2.blur(cv2.warpAffine(coverage, shift, coverage.shape[::-1]), (3, 3))


def _contrast(rng: np.random.Generator) -> float:
    """Return a luminance contrast: mostly high, low in one of seven."""
    return rng.uniform(24, 55) if rng.random() < 0.14 else rng.uniform(55, 235)


def paint(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Print in one opaque color, sometimes with outline or shadow (scene text)."""
    background = _background(surface)
    color = ink_color(rng, background, _contrast(rng), rng.random() < 0.65)
    extra = rng.random()
    if extra < 0.08:
        cast = _cast(coverage, rng.uniform(-3, 3), rng.uniform(0.5, 3))
        _blend(surface, cast * rng.uniform(0.3, 0.8), background * 0.3)
    elif extra < 0.14:
        size = int(rng.integers(2, 4))
        _blend(surface, cv2.dilate(coverage, np.ones((size, size))), random_color(rng))
    _blend(surface, coverage, color)


def _solid_cast(coverage: np.ndarray, x: float, y: float) -> np.ndarray:
    """Return the coverage of letters with a depth of ``x`` and ``y`` pixels."""
    deep = coverage
    for step in np.linspace(0, 1, 1 + int(np.ceil(max(abs(x), abs(y)))))[1:]:
        shift = np.array([[1, 0, x * step], [0, 1, y * step]], np.float32)
        deep = np.maximum(deep, cv2.warpAffine(coverage, shift, coverage.shape[::-1]))
    return deep


def _stroke(coverage: np.ndarray) -> float:
    """Return the stroke width of a line in pixels: twice the area by the length of the edges."""
    edges = sum(float(np.abs(np.diff(coverage, axis=axis)).sum()) for axis in (0, 1))
    return 2 * float(coverage.sum()) / max(edges, 1.0)


def _gradient(rng: np.random.Generator, shape: tuple[int, ...], color: np.ndarray) -> np.ndarray:
    """Return a gradient (H, W, 3) from ``color`` to another color, vertical or horizontal."""
    other = np.clip(color + rng.uniform(-90, 90, 3), 0, 255)
    along = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    if rng.random() < 0.25:
        along = np.linspace(0, 1, shape[1], dtype=np.float32)[None, :]
    return color + (other - color) * np.broadcast_to(along, shape)[..., None]


def lettering(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Print lettering of signs, posters and packages: borders, shadows, gradients, textures."""
    background, stroke = _background(surface), _stroke(coverage)
    color = ink_color(rng, background, _contrast(rng), rng.random() < 0.5)
    shadow, reach = rng.random(), rng.uniform(0.2, 1.2, 2) * stroke * (rng.choice([-1, 1]), 1)
    if shadow < 0.25:
        _blend(surface, _solid_cast(coverage, *reach), random_color(rng, value=(0.0, 0.6)))
    elif shadow < 0.5:
        _blend(surface, _cast(coverage, *reach) * rng.uniform(0.4, 0.9), background * 0.3)
    if rng.random() < 0.6:
        size = 2 + round(rng.uniform(0.2, 1.4) * stroke)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        border = ink_color(rng, color, rng.uniform(60, 230), rng.random() < 0.5)
        if rng.random() < 0.2:
            _blend(surface, cv2.dilate(coverage, disc, iterations=2), color)
        _blend(surface, cv2.dilate(coverage, disc), border)
    fill = _gradient(rng, coverage.shape, color) if rng.random() < 0.4 else color
    if rng.random() < 0.2:
        height, width = coverage.shape
        grain = noise.fractal(rng, height, width, rng.uniform(1, 6)) * rng.uniform(10, 50)
        fill = fill + grain[..., None]
    _blend(surface, coverage, fill)


def worn(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Print with uneven ink: faded areas, speckles and scratches."""
    height, width = coverage.shape
    wear = 0.75 + 0.35 * noise.fractal(rng, height, width, rng.uniform(0.5, 4))
    if rng.random() < 0.4:
        wear = wear - (noise.white(rng, height, width) > rng.uniform(1.3, 2.5)) * 0.8
    color = ink_color(rng, _background(surface), _contrast(rng), rng.random() < 0.75)
    _blend(surface, coverage * np.clip(wear, 0.05, 1), color)


def inkjet(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Print thin ink (CIJ) that keeps the texture below and bleeds slightly."""
    bleed = rng.uniform(0, 0.9)
    if bleed > 0.3:
        coverage = cv2.GaussianBlur(coverage, (0, 0), bleed)
    color = ink_color(rng, _background(surface), _contrast(rng) * 1.1, rng.random() < 0.8)
    _blend(surface, np.minimum(coverage * rng.uniform(0.9, 1.25), 1) * rng.uniform(0.7, 1), color)


def laser(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Mark by laser: a rough gray of low contrast with slightly burnt edges."""
    height, width = coverage.shape
    background = _background(surface)
    contrast = rng.uniform(22, 70) if rng.random() < 0.5 else rng.uniform(70, 160)
    color = ink_color(rng, background, contrast, rng.random() < 0.5)
    rough = noise.white(rng, height, width) * rng.uniform(2, 14)
    rim = cv2.dilate(coverage, np.ones((3, 3))) - coverage
    _blend(surface, rim * rng.uniform(0, 0.4), background * rng.uniform(0.6, 1.2))
    _blend(surface, coverage * rng.uniform(0.75, 1), color)
    surface += (rough * coverage)[..., None]


def relief(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Stamp, engrave or emboss: shade the slopes of the strokes by light from one side.

    Lambertian shading of a height field, linearized for small slopes: the change of brightness is
    the slope in the direction of the light.
    """
    depth = rng.uniform(0.6, 2.2)
    height_map = cv2.GaussianBlur(coverage, (0, 0), depth)
    light = rng.uniform(0, 2 * np.pi)
    slope_x = cv2.Sobel(height_map, cv2.CV_32F, 1, 0, ksize=3)
    slope_y = cv2.Sobel(height_map, cv2.CV_32F, 0, 1, ksize=3)
    shade = slope_x * np.cos(light) + slope_y * np.sin(light)
    surface += (shade * rng.uniform(25, 90) * np.sqrt(depth))[..., None]
    surface += (height_map * rng.uniform(-35, 25))[..., None]
    if rng.random() < 0.35:  # paint or dirt in the strokes
        color = ink_color(rng, _background(surface), rng.uniform(30, 150), rng.random() < 0.6)
        _blend(surface, coverage * rng.uniform(0.3, 0.95), color)


def thermal(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Print by a thermal head: dead rows or columns, and a gray that fades along the line."""
    height, width = coverage.shape
    heat = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), width, dtype=np.float32)
    alive = np.ones((height, width), np.float32) * heat
    for _ in range(int(rng.integers(0, 4))):
        if rng.random() < 0.5:
            alive[int(rng.integers(0, height))] *= rng.uniform(0, 0.5)
        else:
            alive[:, int(rng.integers(0, width))] *= rng.uniform(0, 0.5)
    color = ink_color(rng, _background(surface), rng.uniform(50, 220), True)
    _blend(surface, coverage * alive, color)


def lcd(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Show dark segments in front of a backlight, with a shadow behind the glass."""
    color = ink_color(rng, _background(surface), rng.uniform(25, 170), rng.random() < 0.93)
    if rng.random() < 0.5:
        cast = _cast(coverage, rng.uniform(-3, 3), rng.uniform(0, 3))
        _blend(surface, cast * rng.uniform(0.05, 0.3), color)
    _blend(surface, coverage * rng.uniform(0.6, 1), color)


def led(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Show bright saturated strokes with a halo on a dark background."""
    color = random_color(rng, saturation=(0.3, 1.0), value=(0.85, 1.0))
    halo = cv2.GaussianBlur(coverage, (0, 0), max(1.0, coverage.shape[0] * rng.uniform(0.04, 0.12)))
    surface += color * (halo * rng.uniform(0.1, 0.6))[..., None]
    _blend(surface, coverage * rng.uniform(0.8, 1), np.clip(color * 1.15 + 20, 0, 255))


def plate(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """Print characters of number plates: strong paint, often embossed."""
    color = ink_color(rng, _background(surface), rng.uniform(70, 235), rng.random() < 0.8)
    if rng.random() < 0.5:
        rim = cv2.GaussianBlur(coverage, (0, 0), 1.2)
        shade = cv2.Sobel(rim, cv2.CV_32F, int(rng.random() < 0.4), 1, ksize=3)
        surface += (shade * rng.uniform(-40, 40))[..., None]
    _blend(surface, coverage * rng.uniform(0.85, 1), color)


def print_line(
    surface: np.ndarray,
    coverage: np.ndarray,
    process: Process,
    seed: int,
    ghost: np.ndarray | None = None,
) -> float:
    """Print one line on ``surface`` in place.

    Args:
        surface: float32 RGB (H, W, 3), 0..255.
        coverage: float32 (H, W), 0..1.
        process: One of the processes of this module.
        seed: Seed of the process, equal for the lines of one print.
        ghost: Coverage of unlit display segments, printed faintly.

    Returns:
        Mean change of the covered pixels, 0..255: the contrast of the print.
    """
    before = surface.copy()
    if ghost is not None:
        faint = np.random.default_rng(seed).uniform(0.02, 0.16)
        _blend(surface, ghost * faint, np.zeros(3, np.float32))
    process(surface, coverage, np.random.default_rng(seed))
    np.clip(surface, 0, 255, out=surface)
    change = np.abs(surface - before).max(axis=2)
    return float((change * coverage).sum() / max(float(coverage.sum()), 1.0))
