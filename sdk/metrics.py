"""Metrics of detection and recognition, on quads and on strings.

Matching follows ICDAR 2015 Robust Reading (Karatzas et al. 2015, challenge 4). A found quad matches
a wanted quad if their intersection over union is at least 0.5. A found quad that lies mostly on a
quad marked "ignore" counts neither as right nor as wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.geometry import iou_matrix, shared_area

__all__ = [
    "Score",
    "character_error_rate",
    "detection",
    "edit_distance",
    "end_to_end",
    "exact_share",
    "letters_and_digits",
    "match_quads",
    "wilson_interval",
]


def edit_distance(first: Sequence[object], second: Sequence[object]) -> int:
    """Return the Levenshtein distance of two texts: insertions, deletions and replacements."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def character_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Return the number of edits per wanted character.

    Args:
        pairs: (wanted, read) texts.

    Returns:
        0 and up. Above 1 if there are more edits than wanted characters. 0 without any wanted
        character.
    """
    edits = characters = 0
    for wanted, read in pairs:
        edits += edit_distance(wanted, read)
        characters += len(wanted)
    return edits / characters if characters else 0.0


def wilson_interval(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Return the confidence interval of a share (Wilson 1927).

    Args:
        right: Number of successes, 0 to `total`.
        total: Number of trials.
        z: Quantile of the normal distribution; 1.96 gives the interval of 95 %.

    Returns:
        Least and greatest share, 0..1. (0, 1) without trials.
    """
    if not total:
        return 0.0, 1.0
    share, extra = right / total, z * z / total
    middle = (share + extra / 2) / (1 + extra)
    reach = z / (1 + extra) * math.sqrt(share * (1 - share) / total + extra / total / 4)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def exact_share(pairs: Iterable[tuple[str, str]]) -> float:
    """Return the share of (wanted, read) pairs with equal texts. 0 without pairs."""
    same = [wanted == read for wanted, read in pairs]
    return sum(same) / len(same) if same else 0.0


def letters_and_digits(text: str) -> str:
    """Return the letters and digits of a text in upper case, to compare OCR engines."""
    return "".join(c for c in text.upper() if c.isalnum())


@dataclass(frozen=True, slots=True)
class Score:
    """Counts that add up over pictures.

    Attributes:
        matched: Number of wanted items that were found.
        found: Number of found items.
        wanted: Number of wanted items.
    """

    matched: int = 0
    found: int = 0
    wanted: int = 0

    def __add__(self, other: Score) -> Score:
        """Return the sums of the counts."""
        return Score(
            self.matched + other.matched, self.found + other.found, self.wanted + other.wanted
        )

    @property
    def precision(self) -> float:
        """Share of the found items that match wanted items. 0 if no item was found."""
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of the wanted items that were found. 0 if no item was wanted."""
        return self.matched / self.wanted if self.wanted else 0.0

    @property
    def hmean(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.matched / (self.found + self.wanted) if self.found + self.wanted else 0.0


def match_quads(
    found: ArrayLike,
    wanted: ArrayLike,
    ignore: Sequence[bool] | None = None,
    threshold: float = 0.5,
    allowed: NDArray[np.bool_] | None = None,
) -> tuple[list[tuple[int, int]], list[int]]:
    """Match quads one to one, best overlap first.

    Args:
        found: (n, 4, 2) pixels.
        wanted: (m, 4, 2) pixels.
        ignore: m flags. Ignored quads match no quad.
        threshold: Least intersection over union of a match.
        allowed: bool (n, m), pairs that may match. None allows all.

    Returns:
        Pairs of indices (found, wanted), and the indices of unmatched found quads with more than
        half of their area on one ignored quad.
    """
    f = np.asarray(found, np.float32).reshape(-1, 4, 2)
    w = np.asarray(wanted, np.float32).reshape(-1, 4, 2)
    skipped = np.zeros(len(w), bool) if ignore is None else np.asarray(ignore, bool)
    overlap = iou_matrix(f, w)
    usable = (overlap >= threshold) & ~skipped[None]
    if allowed is not None:
        usable &= allowed
    pairs: list[tuple[int, int]] = []
    candidates = np.argwhere(usable)
    strongest_first = np.argsort(-overlap[usable], kind="stable")
    free_found, free_wanted = np.ones(len(f), bool), np.ones(len(w), bool)
    for i, j in candidates[strongest_first].tolist():
        if free_found[i] and free_wanted[j]:
            free_found[i] = free_wanted[j] = False
            pairs.append((i, j))
    dropped = [
        int(i)
        for i in np.flatnonzero(free_found)
        if any(_covered(f[i], w[j], overlap[i, j]) > 0.5 for j in np.flatnonzero(skipped))
    ]
    return sorted(pairs), dropped


def _covered(quad: NDArray[np.float32], other: NDArray[np.float32], overlap: float) -> float:
    """Return the share of a quad's area that lies on another quad, from their IoU."""
    own, its = (abs(cv2.contourArea(cv2.convexHull(q))) for q in (quad, other))
    return float(shared_area(overlap, own, its) / own) if own > 0 else 0.0


def detection(
    found: ArrayLike,
    wanted: ArrayLike,
    ignore: Sequence[bool] | None = None,
    threshold: float = 0.5,
) -> Score:
    """Return the detection score of one picture.

    Args:
        found: (n, 4, 2) pixels.
        wanted: (m, 4, 2) pixels.
        ignore: m flags of quads that count neither as right nor as wrong.
        threshold: Least intersection over union of a match.
    """
    pairs, dropped = match_quads(found, wanted, ignore, threshold)
    n, m = (len(np.asarray(q, np.float32).reshape(-1, 4, 2)) for q in (found, wanted))
    return Score(len(pairs), n - len(dropped), m - sum(map(bool, ignore or ())))


def end_to_end(
    found: ArrayLike,
    found_texts: Sequence[str],
    wanted: ArrayLike,
    wanted_texts: Sequence[str],
    ignore: Sequence[bool] | None = None,
    threshold: float = 0.5,
    normalize: Callable[[str], str] = letters_and_digits,
) -> Score:
    """Return the end-to-end score of one picture. A match needs the right place and text.

    Args:
        found: (n, 4, 2) pixels.
        found_texts: n texts.
        wanted: (m, 4, 2) pixels.
        wanted_texts: m texts.
        ignore: m flags of quads that count neither as right nor as wrong.
        threshold: Least intersection over union of a match.
        normalize: Applied to both texts before they are compared.
    """
    read = [normalize(t) for t in found_texts]
    true = [normalize(t) for t in wanted_texts]
    same = np.array([[a == b for b in true] for a in read], bool).reshape(len(read), len(true))
    pairs, dropped = match_quads(found, wanted, ignore, threshold, same)
    return Score(len(pairs), len(read) - len(dropped), len(true) - sum(map(bool, ignore or ())))
