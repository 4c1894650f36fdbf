"""Labeled folders: pictures beside a ``labels.jsonl`` with their texts.

Each row is a JSON object. A line image has ``{"image", "text"}``; a photo has ``{"image", "texts":
[{"text", "quad", "ignore"}]}`` with quads in pixels, clockwise from the reading-order start.
``"image"`` is the path of the picture in the folder. Rows of line images may hold ``"case": false``
if the label stands for both cases, and ``"source"``, the name of the photo that the line image was
cropped from; rows of photos may hold
``"complete": true`` if all text is labeled, which `benchmarks.accuracy` uses. Any row may hold
``"split"``, one of `SPLITS`: rows of ``test`` are never trained on. The text of a line image that
has no label is ``null`` or empty: such rows are neither trained on nor evaluated. Folders may come
from third parties, so files outside the folder are never opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from sdk.files import open_regular
from training.errors import TrainingError

__all__ = [
    "LABELS",
    "NO_LABEL",
    "SPLITS",
    "has_text",
    "is_label",
    "read_labeled",
    "read_labels",
    "split_of",
]

LABELS = "labels.jsonl"

SPLITS = ("train", "validation", "test")
"""Parts of a labeled folder."""

NO_LABEL = (
    "has no label: a line needs 'text', a photo 'texts', each with 'text' and 'quad', "
    "and no picture both."
)

_HELD_BACK = 10
"""One of this number of source pictures is for validation."""


def read_labels(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield (path of the picture, row) of a labeled folder, in order.

    Raises:
        TrainingError: The rows cannot be read, there is none, a row is no object with an
            ``"image"``, or the image lies outside the folder.
    """
    path, home = folder / LABELS, folder.resolve()
    try:
        with open_regular(path) as file:
            number = 0
            for number, line in enumerate(file, 1):
                yield _row(folder, home, line, f"{path}, row {number}")
            if not number:
                raise TrainingError(f"{path} holds no row.")
    except OSError as error:
        raise TrainingError(f"Cannot read {path}: {error.strerror or error}.") from error


def read_labeled(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield (path of the picture, row) of a labeled folder; every row must be a label.

    Raises:
        TrainingError: As `read_labels`; or a row labels neither a line nor a photo.
    """
    for number, (picture, record) in enumerate(read_labels(folder), 1):
        if not is_label(record):
            raise TrainingError(f"{folder / LABELS}, row {number}: {record['image']} {NO_LABEL}")
        if record.get("split", "train") not in SPLITS:
            raise TrainingError(
                f"{folder / LABELS}, row {number}: the split is {record['split']!r}. "
                f"Known: {', '.join(SPLITS)}."
            )
        yield picture, record


def _row(folder: Path, home: Path, line: bytes, what: str) -> tuple[Path, dict[str, Any]]:
    try:
        row = json.loads(line)
        picture = folder / row["image"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it names no image"
        raise TrainingError(f"{what} is not a label: {reason}.") from error
    try:
        inside = picture.resolve().is_relative_to(home)
    except (OSError, RuntimeError, ValueError):  # links in a circle, a NUL in the name
        inside = False
    if not inside:
        raise TrainingError(
            f"{what}: {row['image']!r} is not a picture inside the folder. "
            "Copy the picture there and correct the row."
        )
    return picture, row


def is_label(record: dict[str, Any]) -> bool:
    """Tell whether a row is the label of a line image or of a photo."""
    if "texts" not in record:
        return "text" in record and (record["text"] is None or isinstance(record["text"], str))
    texts = record["texts"]
    return (
        "text" not in record
        and isinstance(texts, list)
        and all(isinstance(t, dict) and "quad" in t and _is_quad(t["quad"]) for t in texts)
        and all(isinstance(t.get("text"), str) for t in texts)
    )


def _is_quad(value: Any) -> bool:
    if value is None or value == []:  # the place of the text is not known
        return True
    try:
        quad = np.array(value, np.float32)
    except (TypeError, ValueError, OverflowError):
        return False
    return quad.shape == (4, 2) and bool(np.isfinite(quad).all())


def has_text(record: dict[str, Any]) -> bool:
    """Tell whether a row says what its picture reads; false for line images without a label."""
    return "texts" in record or bool(record.get("text"))


def split_of(record: dict[str, Any]) -> str:
    """Return the split of a row, one of `SPLITS`.

    Without ``"split"``, a tenth of all rows is for validation, by source picture: line images of
    one photo stay on one side. Without ``"source"``, the source is the name of the picture without
    a final number of one or two digits: ``photo17_3.jpg`` is line 3 of ``photo17``.
    """
    if "split" in record:
        return str(record["split"])
    source = record.get("source") or re.sub(r"_\d{1,2}$", "", PurePosixPath(record["image"]).stem)
    digest = hashlib.sha1(str(source).encode(), usedforsecurity=False).digest()
    return "train" if int.from_bytes(digest[:4], "big") % _HELD_BACK else "validation"
