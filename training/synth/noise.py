"""Fast random textures cropped from a few fixed noise tiles.

New normal fields for every picture would take more time than the rest of the generator. Fields are
random crops (flipped, rescaled) of tiles, which each process computes once from a fixed seed: a
picture depends on its own random generator only.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

_SIDE = 1024


@lru_cache(maxsize=1)
def _white() -> np.ndarray:
    return np.random.default_rng(20240117).standard_normal((_SIDE, _SIDE, 4), np.float32)


@lru_cache(maxsize=1)
def _fractal() -> np.ndarray:
    """Return a periodic sum of octaves, amplitude ~ wavelength, of zero mean and unit deviation."""
    rng = np.random.default_rng(20240118)
    field = np.zeros((_SIDE, _SIDE), np.float32)
    for octave in range(2, 9):
        cells = 2**octave
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        coarse = np.pad(coarse, 2, mode="wrap")
        fine = cv2.resize(
            coarse, None, fx=_SIDE / cells, fy=_SIDE / cells, interpolation=cv2.INTER_CUBIC
        )
        edge = 2 * _SIDE // cells
        field += fine[edge : edge + _SIDE, edge : edge + _SIDE] / 2 ** (0.8 * octave)
    field -= field.mean()
    return field / field.std()


def _crop(tile: np.ndarray, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    y, x = (int(v) for v in rng.integers(0, _SIDE, 2))
    rows = (np.arange(height) + y) % _SIDE
    columns = (np.arange(width) + x) % _SIDE
    if rng.random() < 0.5:
        columns = columns[::-1]
    return tile[rows[:, None], columns[None, :]]


def white(rng: np.random.Generator, height: int, width: int, channels: int = 1) -> np.ndarray:
    """Return unit white noise, float32 (H, W) or (H, W, channels <= 3)."""
    first = int(rng.integers(0, 2)) if channels > 1 else int(rng.integers(0, 4))
    tile = _white()[..., first] if channels == 1 else _white()[..., first : first + channels]
    return _crop(tile, rng, height, width)


def fractal(rng: np.random.Generator, height: int, width: int, scale: float = 1.0) -> np.ndarray:
    """Return cloud-like noise of zero mean and about unit deviation, float32 (H, W).

    Args:
        rng: Random generator.
        height: Rows.
        width: Columns.
        scale: Size of the features; 1 is the finest.
    """
    small = (max(2, round(height / scale)), max(2, round(width / scale)))
    field = _crop(_fractal(), rng, *small)
    if small == (height, width):
        return field
    return cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)


def streaks(rng: np.random.Generator, height: int, width: int, length: int) -> np.ndarray:
    """Return horizontal streaks (brushed metal) of about unit deviation, float32 (H, W)."""
    field = cv2.blur(white(rng, height, width), (max(1, length), 1), borderType=cv2.BORDER_REFLECT)
    return field / max(float(field.std()), 1e-6)
