"""Survey of a product's photos: its lines, how they are printed, and on what ground."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk import Reader
from sdk.errors import ImageError
from sdk.geometry import side_lengths
from sdk.image.files import pictures_below
from sdk.image.load import load_image
from sdk.recognize.pattern.automaton import Pattern
from sdk.results import TextLine
from training.errors import TrainingError
from training.specialize.measure import TEXT_PX, InkMeasures, ink_of, line_band, measure_ink

__all__ = ["ProductLine", "Survey", "survey"]

# Lines below this confidence are text that has no share in the survey, but no ground either.
_LEAST_CONFIDENCE = 0.2
_PAINT_PX = 5
# Mean difference of the color channels below which a band is gray.
_GRAY = 3


@dataclass(frozen=True)
class ProductLine:
    """A line of a photo that fits the pattern.

    Attributes:
        photo: Name of the photo.
        text: The text, read by the default reader with the pattern.
        confidence: Confidence of the reading, 0..1.
        height_px: Height of the line in the photo.
        band: uint8 RGB (96, w, 3), the line with its surroundings, see `measure.line_band`.
        ground: uint8 RGB (96, w, 3), the band with its text painted over.
        ink: Measures of the print.
        cells: Start and end of each character of the text in pixels of the band.
        is_gray: Whether the photo has no colors here.
    """

    photo: str
    text: str
    confidence: float
    height_px: float
    band: NDArray[np.uint8]
    ground: NDArray[np.uint8]
    ink: InkMeasures
    cells: tuple[tuple[float, float], ...]
    is_gray: bool


@dataclass(frozen=True)
class Survey:
    """What the photos show.

    Attributes:
        photos: Number of photos that were read.
        lines: The lines that fit the pattern.
        others: Texts of other lines, read in the same photos.
        unreadable: Names of files that are no pictures.
    """

    photos: int
    lines: tuple[ProductLine, ...]
    others: tuple[str, ...]
    unreadable: tuple[str, ...]


def survey(
    reader: Reader,
    folder: Path,
    patterns: Sequence[Pattern],
    say: Callable[[str], None] = lambda text: None,
) -> Survey:
    """Read the photos of a product and measure the lines that fit the pattern.

    Args:
        reader: The default reader.
        folder: Folder of photos; photos in subfolders are read too.
        patterns: Patterns of the product's lines.
        say: Called with messages on the progress.

    Raises:
        TrainingError: There is no photo, the photos show no text, or no line fits the pattern.
    """
    paths = _pictures(folder)
    lines: list[ProductLine] = []
    others: list[str] = []
    unreadable: list[str] = []
    for number, path in enumerate(paths, 1):
        try:
            image = load_image(path)
        except ImageError:
            unreadable.append(path.name)
            continue
        reading = reader.read(image, pattern=list(patterns), min_confidence=_LEAST_CONFIDENCE)
        found = 0
        for line in reading:
            if not line.pattern_ok:
                others.append(line.text)
                continue
            band = line_band(image, np.array(line.quad, np.float32))
            ink = measure_ink(band)
            if ink is None:
                continue
            lines.append(
                ProductLine(
                    path.name,
                    line.text,
                    line.confidence,
                    float(side_lengths(np.array(line.quad, np.float32))[1]),
                    band,
                    paint_over(band),
                    ink,
                    _cells(line),
                    bool(np.ptp(band.astype(int), axis=2).mean() < _GRAY),
                )
            )
            found += 1
        say(f"photo {number} of {len(paths)}: {path.name}, {len(reading)} lines, {found} fit")
    read = len(paths) - len(unreadable)
    if not read:
        raise TrainingError(f"{folder} holds no photo that can be read: {', '.join(unreadable)}.")
    if not lines and not others:
        raise TrainingError(
            f"The {read} photos of {folder} show no text that the default reader finds. Take them "
            "from closer, with the text upright and in focus."
        )
    if not lines:
        shown = ", ".join(repr(text) for text in others[:8])
        raise TrainingError(
            f"No line of the {read} photos fits the pattern. The lines read are, for example: "
            f"{shown}. A line must fit as a whole: correct the pattern, or give a further one."
        )
    return Survey(read, tuple(lines), tuple(others), tuple(unreadable))


def paint_over(band: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a band with its ink painted over from the ground around it (Telea 2004).

    Args:
        band: uint8 RGB (H, W, 3).
    """
    mask, _ = ink_of(band)
    grown = cv2.dilate(mask, np.ones((_PAINT_PX, _PAINT_PX), np.uint8))
    return np.asarray(cv2.inpaint(band, grown, _PAINT_PX, cv2.INPAINT_TELEA), np.uint8)


def _cells(line: TextLine) -> tuple[tuple[float, float], ...]:
    """Return start and end of the characters in pixels of the line's band."""
    quad = np.array(line.quad, np.float64)
    across, height = (max(float(x), 1.0) for x in side_lengths(quad))
    along = (quad[1] - quad[0] + quad[2] - quad[3]) / 2 / across
    start = (quad[0] + quad[3]) / 2
    cells = []
    for char in line.chars:
        corners = (np.array(char.quad, np.float64) - start) @ along * TEXT_PX / height
        low, high = corners[[0, 3]].mean(), corners[[1, 2]].mean()
        cells.append((float(low) + TEXT_PX / 2, float(high) + TEXT_PX / 2))
    return tuple(cells)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise TrainingError(f"There is no folder {folder}. Give the folder of the photos.")
    paths = pictures_below(folder)
    if not paths:
        raise TrainingError(f"{folder} holds no picture. Give a folder of photos of the product.")
    return paths
