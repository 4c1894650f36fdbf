"""Labeled folders: pictures beside a ``labels.jsonl`` that says what is written in them.

A row is an object. Pictures of one line: ``{"image", "text"}``; photos: ``{"image", "texts": [{
"text", "quad", "ignore"}]}``, quads clockwise from the reading-order start in pixels. Optional in
rows of lines: ``"case": false`` where upper and lower case are not told apart by the label;
``"source"``, the name of the photo that the line was cut out of.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from training.errors import TrainingError

__all__ = ["LABELS", "NO_LABEL", "is_held_back", "is_label", "read_labels"]

LABELS = "labels.jsonl"

_HELD_BACK = 10
"""One source picture of so many is kept for validation."""

NO_LABEL = (
    "has no label: a line needs 'text', a photo 'texts', each with 'text' and 'quad', "
    "and no picture both."
)


def read_labels(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield (path of the picture, row) of a labeled folder, in order.

    Raises:
        TrainingError: A row is damaged, or is no label of a line or a photo.
    """
    path = folder / LABELS
    with path.open(encoding="utf-8") as file:
        for number, row in enumerate(file, 1):
            try:
                record = json.loads(row)
                name = record["image"]
            except (json.JSONDecodeError, KeyError, TypeError) as error:
                raise TrainingError(f"{path}, row {number} is no label: {error}.") from error
            if not is_label(record):
                raise TrainingError(f"{path}, row {number}: {name} {NO_LABEL}")
            yield folder / name, record


def is_label(record: dict[str, Any]) -> bool:
    """Tell whether a row labels either a picture of one line or a photo."""
    if "texts" not in record:
        return isinstance(record.get("text"), str)
    texts = record["texts"]
    return (
        "text" not in record
        and isinstance(texts, list)
        and all(isinstance(t, dict) and "quad" in t for t in texts)
        and all(isinstance(t.get("text"), str) for t in texts)
    )


def is_held_back(record: dict[str, Any]) -> bool:
    """Tell whether a row is kept for validation: a tenth of all, by source picture.

    Lines of one photo stay together. Where a row has no ``"source"``, the name of the picture
    without a last number of one or two digits stands for it: ``photo17_3.jpg`` is line 3 of
    ``photo17``.
    """
    source = record.get("source") or re.sub(r"_\d{1,2}$", "", PurePosixPath(record["image"]).stem)
    digest = hashlib.sha1(str(source).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") % _HELD_BACK == 0
