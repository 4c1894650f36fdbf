"""Text bands: the course of a single line of text through its picture, found without reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk.geometry import quad_points
from sdk.image.load import ImageArray
from sdk.rectify.crop import CROP_HEIGHT, reduce
from sdk.rectify.sample import sample

__all__ = ["Band", "cut_band", "find_band"]

Floats = NDArray[np.float64]

# Resolution of the search: rows, largest number of pixels across, columns of means.
_ROWS, _ACROSS, _COLUMNS = 48, 400, 16
_LEAST = 12  # least height of a band in rows
_RIM = 1  # columns at each end that do not count: they may show frames or neighboring text
_RISES = tuple(round(0.1 * n, 1) for n in range(-6, 7))
_BOWS = tuple(round(0.1 * n, 1) for n in range(-4, 5))
# Share of the contrast that a band loses per height of rise or bow: straight bands are likelier.
_BENDING_COSTS = 0.2
_POINTS = 64  # number of points on a band's middle line


@dataclass(frozen=True, slots=True)
class Band:
    """The course of a line through its picture, in shares of the picture's height.

    Attributes:
        top: Upper edge, averaged over the picture's width.
        bottom: Lower edge, averaged over the picture's width.
        rise: Climb of the line from the left to the right of the picture.
        bow: Height of the line's middle above its ends. Negative if the middle is below the ends.
    """

    top: float
    bottom: float
    rise: float = 0.0
    bow: float = 0.0

    def grown(self, share: float) -> Band:
        """Return the band with a margin above and below of this share of the band's height."""
        margin = share * (self.bottom - self.top)
        return replace(self, top=self.top - margin, bottom=self.bottom + margin)

    def quad(self, side: float, width: float, height: float) -> NDArray[np.float32]:
        """Return the corners of the band in a picture of this size, float32 (4, 2), pixels.

        Args:
            side: Margin before and after the picture, as a share of the band's height.
            width: Width of the picture in pixels.
            height: Height of the picture in pixels.
        """
        u = np.array(self.ends(side, width, height))
        half = (self.bottom - self.top) / 2
        start, end = self.middle(u)
        v = np.array([start - half, end - half, end + half, start + half])
        return np.stack([u[[0, 1, 1, 0]] * width, v * height], -1).astype(np.float32)

    def within(
        self, quad: NDArray[np.float32], side: float, width: float, height: float
    ) -> NDArray[np.float32]:
        """Return the corners of the band in the photo from which the picture was rectified.

        Args:
            quad: float32 (4, 2), area of the photo that the picture shows, pixels.
            side: See `quad`.
            width: Width of the picture in pixels.
            height: Height of the picture in pixels.

        Returns:
            float32 (4, 2), photo pixels.
        """
        u, v = (self.quad(side, width, height) / (width, height)).T
        return np.stack(quad_points(quad, u, v), -1).astype(np.float32)

    def ends(self, side: float, width: float, height: float) -> tuple[float, float]:
        """Return start and end of a line crop in shares of the picture's width, see `quad`."""
        more = side * (self.bottom - self.top) * height / width
        return -more, 1 + more

    def middle(self, u: Floats) -> Floats:
        """Return the distance of the middle line from the top at shares ``u`` of the width."""
        return (self.top + self.bottom) / 2 + _curve(u, self.rise, self.bow)


@dataclass(frozen=True, slots=True, eq=False)
class _Curves:
    """The candidate curves, with all values that do not depend on the picture.

    Attributes:
        shapes: (C, 2), rise and bow.
        pixels: (C, rows, columns), flat index of the pixel in each row and column of a curve.
        inside: (C, rows, columns), 1 where this pixel lies in the picture and counts.
        within: (C, bands), number of pixels inside a band.
        outside: (C, bands), number of pixels outside a band, at least one row.
        weight: (C, bands), factor of the contrast.
    """

    shapes: Floats
    pixels: NDArray[np.intp]
    inside: NDArray[np.float32]
    within: Floats
    outside: Floats
    weight: Floats


_TOPS, _BOTTOMS = np.array(
    [(a, b) for a, b in product(range(_ROWS + 1), repeat=2) if b - a >= _LEAST]
).T


def find_band(image: ImageArray, *, bent: bool = False) -> Band:
    """Return the band of a picture with the most vertical strokes.

    Brightness changes more often along a line of text than above and below the line. The band is
    straight or follows a parabola. Its inside and outside split the horizontal gradients with the
    greatest between-class variance (Otsu 1979, "A Threshold Selection Method from Gray-Level
    Histograms", equation 14). Sloping and curved bands get a penalty.

    Args:
        image: uint8 RGB (H, W, 3), a picture of one line.
        bent: Whether curved bands are tried too.
    """
    strokes = _strokes(image)
    curves = _curves(bent)
    rows = (strokes.ravel()[curves.pixels] * curves.inside).sum(axis=2, dtype=np.float64)
    sums = np.zeros((len(rows), _ROWS + 1))
    np.cumsum(rows, axis=1, out=sums[:, 1:])
    held = sums[:, _BOTTOMS] - sums[:, _TOPS]
    contrast = held / curves.within - (sums[:, -1:] - held) / curves.outside
    curve, band = np.unravel_index(int((contrast * curves.weight).argmax()), contrast.shape)
    rise, bow = curves.shapes[curve].tolist()
    return Band(float(_TOPS[band] / _ROWS), float(_BOTTOMS[band] / _ROWS), rise, bow)


def cut_band(
    image: ImageArray, band: Band, side: float, stretch: float, max_width: int
) -> ImageArray:
    """Return the line crop along a band, sampled at right angles to the band's middle line.

    Args:
        image: uint8 (H, W, 3).
        band: Course of the line.
        side: Margin before and after the picture, as a share of the band's height.
        stretch: Horizontal scale of the line crop.
        max_width: Longer lines are squeezed into this many pixels.

    Returns:
        uint8 (32, w, 3). Outside the picture the edge pixels are repeated.
    """
    height, width = image.shape[:2]
    u = np.linspace(*band.ends(side, width, height), _POINTS)
    x, y = u * width, band.middle(u) * height
    length = np.concatenate([[0.0], np.hypot(np.diff(x), np.diff(y)).cumsum()])
    # a sloping line is thinner at right angles to its course than vertically
    thickness = max(1.0, (band.bottom - band.top) * height * (x[-1] - x[0]) / length[-1])
    wanted = int(np.clip(round(CROP_HEIGHT * length[-1] / thickness * stretch), 1, max_width))
    at = (np.arange(wanted) + 0.5) / wanted * length[-1]
    along = [np.interp(at, length, v) for v in (x, y)]
    slope = [np.interp(at, length, np.gradient(v, length)) for v in (x, y)]
    across = (((np.arange(CROP_HEIGHT) + 0.5) / CROP_HEIGHT - 0.5) * thickness)[:, None]
    inner = reduce(image, min(1.0, CROP_HEIGHT / thickness))
    columns = (along[0] - slope[1] * across) * (inner.shape[1] / width)
    rows = (along[1] + slope[0] * across) * (inner.shape[0] / height)
    return sample(inner, columns, rows)


def _curve(u: Floats, rise: float, bow: float) -> Floats:
    """Return the distance of a line below its mean height, in heights of the picture."""
    return bow * ((2 * u - 1) ** 2 - 1 / 3) - rise * (u - 0.5)


def _strokes(image: ImageArray) -> NDArray[np.float32]:
    """Return the change of brightness along each row, float32 (rows, columns)."""
    height, width = image.shape[:2]
    size = int(np.clip(round(width * _ROWS / height), _COLUMNS, _ACROSS)), _ROWS
    gray = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    change = np.abs(cv2.Sobel(gray, cv2.CV_32F, 1, 0, ksize=3))
    means = cv2.resize(change, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32)


@lru_cache(maxsize=2)
def _curves(bent: bool) -> _Curves:
    shapes = np.array(list(product(_RISES, _BOWS if bent else (0.0,))))
    u = (np.arange(_COLUMNS) + 0.5) / _COLUMNS
    shifts = np.stack([_curve(u, rise, bow) for rise, bow in shapes])
    rows = np.arange(_ROWS)[None, :, None] + np.rint(shifts * _ROWS).astype(np.intp)[:, None]
    counts = (rows >= 0) & (rows < _ROWS)
    counts[:, :, :_RIM] = counts[:, :, _COLUMNS - _RIM :] = False
    sums = np.zeros((len(shapes), _ROWS + 1))
    np.cumsum(counts.sum(2), axis=1, out=sums[:, 1:])
    within = np.maximum(sums[:, _BOTTOMS] - sums[:, _TOPS], 1.0)
    # a band that fills the picture has no outside: one empty row avoids a division by 0
    outside = np.maximum(sums[:, -1:] - within, _COLUMNS)
    straight = 1 - _BENDING_COSTS * np.abs(shapes).sum(1, keepdims=True)
    return _Curves(
        shapes,
        np.clip(rows, 0, _ROWS - 1) * _COLUMNS + np.arange(_COLUMNS),
        counts.astype(np.float32),
        within,
        outside,
        np.sqrt(within * outside) / sums[:, -1:] * straight,
    )
