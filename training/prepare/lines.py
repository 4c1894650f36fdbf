"""Labeled folders of pictures of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sdk.rectify.crop import CROP_HEIGHT, scale_crop
from training.evaluate.preview import captioned
from training.prepare.examine import Examiner
from training.prepare.form import WIDEST_PX, WIDEST_TILE_PX, Form, cut_line
from training.prepare.journal import Finding, Journal, Row

__all__ = ["LINES"]

_LEAST_HEIGHT_PX = 10


class _LineExaminer(Examiner):
    """Examines lines, each a picture or a part of a photo that becomes a picture."""

    what = "picture"
    encoding = "PNG"

    def examine(self, unit: Sequence[Row]) -> list[Finding]:
        (row,) = unit
        return [self._line(row)]

    def _line(self, row: Row) -> Finding:
        finding = self._text(row.item)
        if finding.outcome:
            return finding
        if row.item.quad is None:
            return replace(finding, outcome="text without a place")
        loaded = self._load(row.item.picture)
        if isinstance(loaded, str):
            return replace(finding, outcome=loaded)
        data, pixels = loaded
        if row.item.quad:
            data, pixels = b"", cut_line(pixels, np.array(row.item.quad, np.float32).reshape(4, 2))
        height, width = pixels.shape[:2]
        if height < _LEAST_HEIGHT_PX:
            return replace(finding, outcome=f"picture lower than {_LEAST_HEIGHT_PX} px")
        if width * CROP_HEIGHT / height > WIDEST_PX:
            return replace(finding, outcome="picture too wide for a line")
        finding = self._fit(finding, width, height)
        if finding.outcome:
            return finding
        image, digest = self._store(row.unit, data, pixels)
        return replace(finding, image=image, digest=digest)


def _rows(journal: Journal) -> Iterator[dict[str, Any]]:
    for image, label, split, source, case in journal.each(
        "SELECT image, text, split, source, case_counts FROM item WHERE outcome = '' ORDER BY id"
    ):
        row = {"image": image, "text": label, "split": split, "source": source}
        yield row if case else {**row, "case": False}


def _tile(picture: np.ndarray, texts: list[tuple[str, np.ndarray, bool]]) -> np.ndarray:
    return captioned(scale_crop(picture, WIDEST_TILE_PX), texts[0][0])


LINES = Form(
    command="lines prepare",
    units="lines",
    by_photo=False,
    examiner=_LineExaminer,
    stratum="max(length(text))",
    rows=_rows,
    tile=_tile,
    advice={"no text": "Is this the column of the text? Name it with --text-column."},
)
