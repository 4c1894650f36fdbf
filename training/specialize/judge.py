"""How a reader reads the lines of a product: strings, characters, false accepts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk import Reader
from sdk.image.load import load_image
from sdk.metrics import character_error_rate, wilson_interval
from sdk.recognize.pattern.automaton import Pattern
from sdk.rectify.crop import expand_quad
from training.data.labels import LABELS, read_labeled
from training.specialize.measure import line_band
from training.synth.pattern_texts import PatternTexts

__all__ = ["Judged", "LabeledLine", "Tally", "accept_bound", "labeled_lines", "read_lines", "tally"]

BOUNDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998)
"""Bounds of the confidence that a user may choose."""


@dataclass(frozen=True)
class LabeledLine:
    """A line of a labeled photo that fits the pattern.

    Attributes:
        image: uint8 RGB (H, W, 3), the line with a small margin.
        text: The label.
    """

    image: NDArray[np.uint8]
    text: str


@dataclass(frozen=True)
class Judged:
    """A reading of a line, with its label.

    Attributes:
        image: uint8 RGB (H, W, 3).
        wanted: The label.
        read: The text that was read.
        confidence: Confidence of the reading, 0..1.
        fits: Whether the reading fits the pattern.
    """

    image: NDArray[np.uint8]
    wanted: str
    read: str
    confidence: float
    fits: bool

    @property
    def is_right(self) -> bool:
        """Whether the reading is the label, spaces between words included."""
        return self.read == self.wanted


@dataclass(frozen=True)
class Tally:
    """Counts of a set of readings.

    Attributes:
        lines: Number of lines.
        right: Number of lines read right.
        low: Lower end of the 95 % interval of their share (Wilson).
        high: Upper end.
        characters: Share of characters without edits, 1 less the character error rate.
        bound: Confidence from which a reading that fits the pattern is accepted.
        accepted: Number of accepted readings.
        false_accepts: Number of accepted readings that are wrong.
    """

    lines: int
    right: int
    low: float
    high: float
    characters: float
    bound: float
    accepted: int
    false_accepts: int


def labeled_lines(folder: Path, texts: PatternTexts) -> list[LabeledLine]:
    """Return the labeled lines of a folder of photos that fit the pattern, none without labels.

    Args:
        folder: Folder of photos, perhaps with a ``labels.jsonl``.
        texts: The patterns.

    Raises:
        TrainingError: A label is damaged.
        ImageError: A labeled photo cannot be read.
    """
    if not (folder / LABELS).exists():
        return []
    found = []
    for path, record in read_labeled(folder):
        image: Any = None
        for row in record.get("texts", ()):
            if row.get("ignore") or not row["quad"] or not texts.matches(row["text"]):
                continue
            image = load_image(path) if image is None else image
            band = line_band(image, expand_quad(row["quad"], 0.0))
            quarter = len(band) // 4
            found.append(LabeledLine(band[quarter - 4 : 3 * quarter + 4], row["text"]))
    return found


def read_lines(
    reader: Reader,
    lines: Iterable[tuple[NDArray[np.uint8], str]],
    patterns: Sequence[Pattern] | None,
) -> list[Judged]:
    """Read line images.

    Args:
        reader: The reader.
        lines: Pairs (uint8 RGB picture, label).
        patterns: Patterns of the lines; None reads without a pattern.
    """
    judged = []
    for image, text in lines:
        line = reader.read_line(image, pattern=None if patterns is None else list(patterns))
        fits = line.pattern_ok is not False
        judged.append(Judged(image, text, line.text.strip(), line.confidence, fits))
    return judged


def accept_bound(judged: Sequence[Judged]) -> float:
    """Return the least of `BOUNDS` from which no reading is wrong, 1 if there is none."""
    for bound in BOUNDS:
        if not any(x.fits and x.confidence >= bound and not x.is_right for x in judged):
            return bound
    return 1.0


def tally(judged: Sequence[Judged], bound: float) -> Tally:
    """Count a set of readings.

    Args:
        judged: The readings.
        bound: Confidence from which a reading that fits the pattern is accepted.
    """
    right = sum(x.is_right for x in judged)
    low, high = wilson_interval(right, len(judged))
    accepted = [x for x in judged if x.fits and x.confidence >= bound]
    wrong = sum(not x.is_right for x in accepted)
    error = character_error_rate((x.wanted, x.read) for x in judged)
    characters = math.nan if not judged else max(0.0, 1 - error)
    return Tally(len(judged), right, low, high, characters, bound, len(accepted), wrong)
