"""The score of a reader on a set of labeled pictures.

Texts are compared in upper case. All measures except ``text`` and ``whole`` compare letters and
digits only. Ignored labels count neither as right nor as wrong.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sdk.geometry import iou
from sdk.metrics import edit_distance, letters_and_digits

_SAME_PLACE, _IGNORED_PLACE = 0.5, 0.3
_JOINED_FROM = 4
"""Least number of characters of a label that may be found across regions."""


@dataclass
class Score:
    """Counts over the pictures of one set.

    Attributes:
        lines: Line crops.
        exact: Line crops that are read exactly, by letters and digits.
        edits: Edits of the readings of line crops.
        characters: Characters of the labels of line crops.
        text: Line crops and labels of photos that are read exactly with all spaces and signs.
        photos: Photos.
        labels: Labels of photos that count.
        placed: Labels of photos with a known place.
        found: Labels of photos that are found.
        right: Regions of photos that are right.
        regions: Regions of photos that count.
        complete: Photos with complete and legible labels.
        whole: Complete photos that are read without any difference.
        ms: Time of each picture in milliseconds.
    """

    lines: int = 0
    exact: int = 0
    edits: int = 0
    characters: int = 0
    text: int = 0
    photos: int = 0
    labels: int = 0
    placed: int = 0
    found: int = 0
    right: int = 0
    regions: int = 0
    complete: int = 0
    whole: int = 0
    ms: list[float] = field(default_factory=list)

    def add_line(self, label: str, reading: str) -> None:
        """Count a line crop."""
        want, got = letters_and_digits(label), letters_and_digits(reading)
        self.lines += 1
        self.exact += want == got
        self.text += _plain(label).upper() == _plain(reading).upper()
        self.edits += edit_distance(want, got)
        self.characters += len(want)

    def add_photo(
        self, labels: Sequence[dict[str, Any]], regions: Sequence[Any], complete: bool = False
    ) -> None:
        """Count a photo.

        Args:
            labels: Labels with "text", "quad" (None if not known) and "ignore".
            regions: Pairs of text and quad. The quad is None if the reader gives none.
            complete: Whether all text of the photo is labeled.
        """
        texts = [letters_and_digits(text) for text, _ in regions]
        joined, used = "".join(texts), set()
        whole_lines = Counter(_plain(text).upper() for text, _ in regions)
        for label in labels:
            want = letters_and_digits(label["text"])
            if label.get("ignore") or not want:
                continue
            self.labels += 1
            self.placed += bool(label["quad"])
            if whole_lines[plain := _plain(label["text"]).upper()]:
                whole_lines[plain] -= 1
                self.text += 1
            across = len(want) >= _JOINED_FROM and want in joined
            self.found += across or any(want in text for text in texts)
            for i, (_, quad) in enumerate(regions):
                if (
                    i not in used
                    and texts[i] == want
                    and _overlap(quad, label["quad"]) >= _SAME_PLACE
                ):
                    used.add(i)
                    break
        ignored = [label["quad"] for label in labels if label.get("ignore")]
        self.photos += 1
        self.right += len(used)
        self.regions += sum(
            i in used or all(_overlap(quad, other) <= _IGNORED_PLACE for other in ignored)
            for i, (_, quad) in enumerate(regions)
        )
        if complete and not ignored:
            self.complete += 1
            self.whole += Counter(_plain(label["text"]) for label in labels) == Counter(
                _plain(text) for text, _ in regions
            )

    def measures(self) -> dict[str, float]:
        """Return the measures of the set.

        "n" is the number of labels, "ms" the median time in milliseconds. All other measures are
        shares from 0 to 1. Measures that the set does not have are absent.
        """
        shares = {"text": self.text / max(self.lines + self.labels, 1)}
        if self.lines:
            shares["exact"] = self.exact / self.lines
            shares["cer"] = self.edits / max(self.characters, 1)
        if self.photos:
            shares["found"] = self.found / max(self.labels, 1)
        if self.placed:
            shares["e2e"] = 2 * self.right / max(self.regions + self.labels, 1)
        if self.complete:
            shares["whole"] = self.whole / self.complete
        return {
            "n": self.lines + self.labels,
            **{name: round(value, 4) for name, value in shares.items()},
            "ms": round(statistics.median(self.ms), 1),
        }


def _plain(text: str) -> str:
    return " ".join(text.split())


def _overlap(first: Any, second: Any) -> float:
    """Return the intersection over union of two quads, 0 if one of them is not known."""
    if not first or not second:
        return 0.0
    return iou(np.array(first, np.float32), np.array(second, np.float32))
