"""Labeled folders of photos, each with the texts that it shows and their places.

A text that cannot be used stays in its photo as one to be ignored: it is neither text nor
background. A photo with a text whose place is unknown is left out, because its text would be
learned as background.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import cv2
import numpy as np

from sdk.geometry import side_lengths
from training.evaluate.preview import draw_lines
from training.evaluate.reading import LineReading
from training.prepare.examine import Examiner
from training.prepare.form import WIDEST_TILE_PX, Form, quad_of
from training.prepare.items import Item
from training.prepare.journal import Finding, Journal, Row

__all__ = ["PHOTOS"]

_LEAST_SIDE_PX = 32
_SLACK = 0.1
"""Share of its height by which a box may reach out of the picture: tools draw loosely."""
_LEAST_SLACK_PX = 2.0
_USED, _IGNORED = (40, 170, 60), (120, 120, 120)


class _PhotoExaminer(Examiner):
    """Examines photos with all their texts."""

    what = "box"
    encoding = "JPEG"

    def examine(self, unit: Sequence[Row]) -> list[Finding]:
        findings = [self._text(row.item) for row in unit]
        if any(_has_no_place(row.item) for row in unit):
            return [replace(f, outcome="photo with a text without a place") for f in findings]
        loaded = self._load(unit[0].item.picture)
        if isinstance(loaded, str):
            return [replace(f, outcome=loaded) for f in findings]
        data, pixels = loaded
        if min(pixels.shape[:2]) < _LEAST_SIDE_PX:
            outcome = f"picture smaller than {_LEAST_SIDE_PX} px"
            return [replace(f, outcome=outcome) for f in findings]
        image, digest = self._store(unit[0].unit, data, pixels)
        size = np.array(pixels.shape[1::-1], np.float64)
        return [
            replace(self._box(finding, row.item, size), image=image, digest=digest)
            for finding, row in zip(findings, unit, strict=True)
        ]

    def _box(self, finding: Finding, item: Item, size: np.ndarray) -> Finding:
        """Return a finding with the place of its text, clipped to the picture of a size (x, y)."""
        if not item.quad:
            return replace(finding, outcome="photo without a text")
        quad = _clockwise(np.array(item.quad, np.float64).reshape(4, 2))
        width, height = (float(side) for side in side_lengths(quad))
        if min(width, height) < 1:
            return replace(finding, outcome="box without an area")
        if (quad.max(0) <= 0).any() or (quad.min(0) >= size).any():
            return replace(finding, outcome="box outside the picture")
        outside = max(float(-quad.min()), float((quad - size).max()))
        place = np.clip(quad, 0, size)
        finding = replace(finding, place=tuple(place.round(2).ravel().tolist()))
        if finding.outcome:
            return replace(finding, width=round(width), height=round(height))
        if outside > max(_LEAST_SLACK_PX, _SLACK * height):
            return replace(finding, outcome="box reaches out of the picture")
        return self._fit(finding, width, height)


def _has_no_place(item: Item) -> bool:
    return item.quad is None or (not item.quad and bool((item.text or "").strip()))


def _clockwise(quad: np.ndarray) -> np.ndarray:
    """Return a quad in clockwise order from the same corner; some tools write the other order."""
    # y points down, so the area of OpenCV is positive if the corners run clockwise
    is_clockwise = cv2.contourArea(quad.astype(np.float32), oriented=True) >= 0
    return quad if is_clockwise else quad[[0, 3, 2, 1]]


def _rows(journal: Journal) -> Iterator[dict[str, Any]]:
    found = journal.each(
        "SELECT image, split, source, text, place, outcome FROM item WHERE image != '' ORDER BY id"
    )
    for (image, split, source), texts in groupby(found, lambda row: row[:3]):
        labels = [
            {"text": text, "quad": quad_of(place).tolist(), "ignore": outcome != ""}
            for *_, text, place, outcome in texts
            if place
        ]
        yield {"image": image, "split": split, "source": source, "texts": labels}


def _tile(picture: np.ndarray, texts: list[tuple[str, np.ndarray, bool]]) -> np.ndarray:
    scale = min(1.0, WIDEST_TILE_PX / max(picture.shape[:2]))
    size = [max(1, round(scale * side)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    for color, used in ((_IGNORED, False), (_USED, True)):
        lines = [
            LineReading(text, scale * quad) for text, quad, u in texts if len(quad) and u == used
        ]
        small = draw_lines(small, lines, color)
    return small


PHOTOS = Form(
    command="photos prepare",
    units="photos",
    by_photo=True,
    examiner=_PhotoExaminer,
    stratum="sum(outcome = '')",
    rows=_rows,
    tile=_tile,
    advice={
        "no text": "The boxes need texts, not only the names of their classes.",
        "photo with a text without a place": "Boxes are needed to find text. Pictures of one line "
        "each are prepared by python -m training lines prepare.",
    },
)
