"""Procedural backgrounds of prints.

Each maker returns float32 RGB (H, W, 3) in 0..255. ``clutter`` draws hard negatives of the
detector: barcodes, matrix codes, scribbles and other patterns that are similar to text.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from sdk.errors import ImageError
from sdk.image.files import pictures_below
from sdk.image.load import load_image
from training.synth import noise
from training.synth.color import random_color

_log = logging.getLogger("training")

Maker = Callable[[np.random.Generator, int, int], np.ndarray]


def gradient(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return a smooth surface between four corner colors, such as plastic or paint."""
    base = random_color(rng)
    corners = base + rng.normal(0, rng.uniform(2, 30), (2, 2, 1)) + rng.normal(0, 5, (2, 2, 3))
    corners = corners.astype(np.float32)
    image = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    return image + noise.white(rng, height, width)[..., None] * rng.uniform(0, 3)


def metal(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return brushed or rolled metal: streaks along one axis, and wide reflections."""
    level = rng.uniform(60, 220)
    vertical = rng.random() < 0.3
    size = (width, height) if vertical else (height, width)
    field = noise.streaks(rng, *size, int(rng.integers(8, 90))) * rng.uniform(3, 18)
    if vertical:
        field = field.T
    field = field + noise.fractal(rng, height, width, rng.uniform(1, 6)) * rng.uniform(3, 30)
    tint = np.array([1, 1, 1]) + rng.normal(0, 0.04, 3)
    return ((level + field)[..., None] * tint).astype(np.float32)


def cardboard(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return brown or white board with fibers and faint corrugation."""
    base = random_color(rng, hue=(0.05, 0.13), saturation=(0.1, 0.6), value=(0.45, 0.95))
    field = noise.streaks(rng, height, width, 5) * rng.uniform(1, 6)
    field = field + noise.fractal(rng, height, width, 2) * rng.uniform(1, 8)
    wave = np.sin(np.arange(width) * rng.uniform(0.2, 0.8)) * rng.uniform(0, 6)
    return (base + (field + wave)[..., None]).astype(np.float32)


def foil(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return crumpled foil or film: facets with hard highlights."""
    field = noise.fractal(rng, height, width, rng.uniform(1, 4))
    folds = np.abs(noise.fractal(rng, height, width, rng.uniform(2, 8)))
    level = rng.uniform(70, 200)
    image = level + field * rng.uniform(10, 35) + np.exp(-folds * 12) * rng.uniform(-50, 90)
    tint = np.array([1, 1, 1]) + rng.normal(0, 0.1, 3)
    return (image[..., None] * tint).astype(np.float32)


def organic(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return a mottled material such as food behind film, wood or concrete."""
    base, other = random_color(rng), random_color(rng)
    share = 1 / (1 + np.exp(-noise.fractal(rng, height, width, rng.uniform(1, 5)) * 2))
    mix = base * share[..., None] + other * (1 - share[..., None])
    return (mix + noise.white(rng, height, width, 3) * rng.uniform(0, 8)).astype(np.float32)


def printed(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return a printed package: flat shapes, strokes and grids on a background."""
    image = gradient(rng, height, width)
    for _ in range(int(rng.integers(1, 7))):
        _SHAPES[int(rng.integers(len(_SHAPES)))](rng, image)
    return image


def _rectangle(rng: np.random.Generator, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    x, y = int(rng.integers(-width // 4, width)), int(rng.integers(-height // 4, height))
    size = (int(rng.integers(8, max(width, 9))), int(rng.integers(4, max(height, 5))))
    fill = -1 if rng.random() < 0.7 else int(rng.integers(1, 6))
    cv2.rectangle(image, (x, y), (x + size[0], y + size[1]), random_color(rng).tolist(), fill)


def _ellipse(rng: np.random.Generator, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
    axes = (int(rng.integers(3, width // 2 + 4)), int(rng.integers(3, height // 2 + 4)))
    fill = -1 if rng.random() < 0.6 else int(rng.integers(1, 6))
    color = random_color(rng).tolist()
    cv2.ellipse(image, center, axes, rng.uniform(0, 180), 0, 360, color, fill, cv2.LINE_AA)


def _strokes(rng: np.random.Generator, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    color, reach = random_color(rng).tolist(), rng.uniform(8, 80)
    start = rng.uniform(0, 1, 2) * (width, height)
    for _ in range(int(rng.integers(2, 14))):
        path = start + np.cumsum(rng.normal(0, reach / 3, (int(rng.integers(2, 6)), 2)), axis=0)
        thickness = int(rng.integers(1, 4))
        cv2.polylines(image, [path.astype(np.int32)], False, color, thickness, cv2.LINE_AA)
        start = start + rng.normal(0, reach, 2)


def _grid(rng: np.random.Generator, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    pitch, color = int(rng.integers(5, 40)), random_color(rng)
    lines = np.zeros((height, width), np.float32)
    if rng.random() < 0.7:
        lines[:: pitch + int(rng.integers(0, 9))] = 1
    if rng.random() < 0.5:
        lines[:, ::pitch] = 1
    if rng.random() < 0.4:
        lines = cv2.dilate(lines, np.ones((2, 2), np.uint8))
    image += (color - image) * (lines * rng.uniform(0.1, 0.9))[..., None]


_SHAPES = (_rectangle, _rectangle, _ellipse, _strokes, _grid)
_MAKERS: tuple[tuple[Maker, float], ...] = (
    (gradient, 0.24),
    (printed, 0.28),
    (organic, 0.16),
    (metal, 0.14),
    (cardboard, 0.1),
    (foil, 0.08),
)


def _barcode(rng: np.random.Generator) -> np.ndarray:
    """Return a barcode with its quiet zone, uint8 (h, w)."""
    widths = rng.integers(1, 5, 2 * int(rng.integers(10, 30)) + 1) * int(rng.integers(1, 4))
    dark = np.arange(len(widths)) % 2 == 0
    row = np.pad(np.repeat(np.where(dark, 25, 235), widths), 8, constant_values=235)
    return np.repeat(row[None].astype(np.uint8), int(rng.integers(12, 90)), axis=0)


def _matrix_code(rng: np.random.Generator) -> np.ndarray:
    """Return a square of random cells with a finder edge, uint8 (h, w)."""
    cells, pitch = int(rng.integers(8, 26)), int(rng.integers(2, 5))
    code = rng.random((cells, cells)) < 0.5
    code[:, 0] = code[-1] = True
    dark, light = (20, 240) if rng.random() < 0.8 else (200, 40)
    code = np.pad(np.where(code, dark, light), 2, constant_values=light).astype(np.uint8)
    return np.kron(code, np.ones((pitch, pitch), np.uint8))


def _scribble(rng: np.random.Generator) -> np.ndarray:
    """Return random strokes, uint8 (h, w)."""
    height, width = int(rng.integers(14, 60)), int(rng.integers(30, 220))
    patch = np.full((height, width, 3), rng.uniform(0, 255), np.float32)
    _strokes(rng, patch)
    return cv2.cvtColor(np.clip(patch, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)


def _grille(rng: np.random.Generator) -> np.ndarray:
    """Return parallel bars of a vent or radiator, sometimes with a badge, uint8 (h, w)."""
    height, width = int(rng.integers(20, 90)), int(rng.integers(40, 180))
    dark, light = sorted(rng.uniform(0, 255, 2))
    pitch, bar = int(rng.integers(5, 22)), rng.uniform(0.2, 0.7)
    rows = (np.arange(height) % pitch) < bar * pitch
    patch = np.repeat(np.where(rows, light, dark)[:, None].astype(np.uint8), width, axis=1)
    if rng.random() < 0.5:
        center, radius = (width // 2, height // 2), int(min(height, width) * rng.uniform(0.15, 0.4))
        cv2.circle(patch, center, radius, float(light), int(rng.integers(1, 5)), cv2.LINE_AA)
        cv2.line(patch, (center[0], center[1] - radius), (center[0], center[1] + radius), light, 2)
    return patch


def _rings(rng: np.random.Generator) -> np.ndarray:
    """Return circles such as wheels, knobs and holes, uint8 (h, w)."""
    height, width = int(rng.integers(24, 70)), int(rng.integers(24, 200))
    dark, light = rng.uniform(0, 255, 2)
    patch = np.full((height, width), dark, np.uint8)
    radius = int(height * rng.uniform(0.2, 0.45))
    for x in range(radius + 2, width - radius, int(radius * rng.uniform(2.1, 3.5)) + 1):
        for share in (1.0, 0.6)[: int(rng.integers(1, 3))]:
            thickness = int(rng.integers(1, max(2, radius // 3)))
            center = (x, height // 2)
            cv2.circle(patch, center, int(radius * share), float(light), thickness, cv2.LINE_AA)
    return patch


def _bricks(rng: np.random.Generator) -> np.ndarray:
    """Return rows of bricks, tiles or blank keys, uint8 (h, w)."""
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(2, 7))
    high, wide, joint = int(rng.integers(7, 20)), int(rng.integers(9, 36)), int(rng.integers(1, 5))
    shift = rng.random() < 0.6
    patch = np.full((rows * high, columns * wide), rng.uniform(0, 255), np.float32)
    level = rng.uniform(0, 255)
    for row in range(rows):
        for column in range(-1, columns):
            x = column * wide + (wide // 2 if shift and row % 2 else 0)
            window = patch[row * high + joint : (row + 1) * high, max(0, x + joint) : x + wide]
            window[:] = level + rng.normal(0, 12)
    return np.clip(patch, 0, 255).astype(np.uint8)


_CLUTTER = (_barcode, _matrix_code, _scribble, _grille, _rings, _bricks)


def clutter(rng: np.random.Generator, image: np.ndarray, taken: np.ndarray) -> None:
    """Draw a pattern that is no text on a free place of a picture; changes both arrays.

    Args:
        rng: Random generator.
        image: float32 RGB (H, W, 3).
        taken: uint8 (H, W), 0 for free pixels.
    """
    patch = _CLUTTER[int(rng.integers(len(_CLUTTER)))](rng)
    if rng.random() < 0.3:
        patch = np.rot90(patch)
    height, width = image.shape[:2]
    rows, columns = patch.shape
    if rows >= height or columns >= width:
        return
    y, x = int(rng.integers(0, height - rows)), int(rng.integers(0, width - columns))
    window = (slice(y, y + rows), slice(x, x + columns))
    if taken[window].any():
        return
    taken[window] = 1
    share = np.float32(rng.uniform(0.3, 1))
    image[window] += (patch[..., None].astype(np.float32) - image[window]) * share


class PhotoFolder:
    """The user's photos as backgrounds, loaded once and cropped at random."""

    def __init__(self, folder: Path | str, longest: int = 1280, most_bytes: int = 2**28) -> None:
        """Load the pictures of ``folder``, reduced to ``longest`` pixels.

        If they need more memory than ``most_bytes``, a sample of them is loaded, the same in every
        process, and a warning says how many.

        Raises:
            ValueError: If the folder holds no readable picture.
        """
        paths = pictures_below(Path(folder))
        loaded: dict[int, np.ndarray] = {}
        size = 0
        for place in np.random.default_rng(0).permutation(len(paths)).tolist():
            if size >= most_bytes:
                _log.warning(
                    "%d of the %d background photos in %s are used: more need too much memory",
                    len(loaded), len(paths), folder,
                )  # fmt: skip
                break
            try:
                image = load_image(paths[place])
            except ImageError as error:
                _log.warning("left out: %s", error)
                continue
            scale = min(1.0, longest / max(image.shape[:2]))
            loaded[place] = cv2.resize(
                image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
            size += loaded[place].nbytes
        self.photos = [loaded[place] for place in sorted(loaded)]
        if not self.photos:
            raise ValueError(
                f"No background photos: {folder} holds no picture that can be read. "
                "Give a folder with JPEG or PNG files."
            )

    def __call__(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """Return a random crop, float32 (H, W, 3)."""
        photo = self.photos[int(rng.integers(len(self.photos)))]
        share = rng.uniform(0.3, 1.0)
        rows, columns = photo.shape[:2]
        crop_h = min(rows, max(8, int(rows * share)))
        crop_w = min(columns, max(8, int(crop_h * width / height)))
        y = int(rng.integers(0, rows - crop_h + 1))
        x = int(rng.integers(0, columns - crop_w + 1))
        crop = photo[y : y + crop_h, x : x + crop_w]
        return cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)


@lru_cache(maxsize=4)
def photo_folder(folder: str) -> PhotoFolder:
    """Return the photos of ``folder``, cached."""
    return PhotoFolder(folder)


def sample_background(
    rng: np.random.Generator, height: int, width: int, photos: PhotoFolder | None = None
) -> np.ndarray:
    """Return a random background, float32 RGB (H, W, 3) in 0..255.

    Args:
        rng: Random generator.
        height: Rows.
        width: Columns.
        photos: The user's photos, used for half of the backgrounds.
    """
    if photos is not None and rng.random() < 0.5:
        return photos(rng, height, width)
    weights = np.array([weight for _, weight in _MAKERS])
    maker = _MAKERS[int(rng.choice(len(_MAKERS), p=weights / weights.sum()))][0]
    return np.clip(maker(rng, height, width), 0, 255).astype(np.float32)
