"""Labelled folders: pictures beside ``labels.jsonl``, which holds a row for each of them.

A row is what shards hold as a record, see `training.shards`; ``"image"`` is the path of the picture
in the folder. The folder may come from others: what lies outside of it is not opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdk.files import open_regular
from training.errors import TrainingError

__all__ = ["LABELS", "read_labels"]

LABELS = "labels.jsonl"


def read_labels(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield (path of the picture, row) of a labelled folder, in order.

    Raises:
        TrainingError: The rows cannot be read, one is no object that names an image, or the image
            lies outside the folder.
    """
    path, home = folder / LABELS, folder.resolve()
    try:
        with open_regular(path) as file:
            for number, line in enumerate(file, 1):
                yield _row(folder, home, line, f"{path}, row {number}")
    except OSError as error:
        raise TrainingError(f"Cannot read {path}: {error.strerror or error}.") from error


def _row(folder: Path, home: Path, line: bytes, what: str) -> tuple[Path, dict[str, Any]]:
    try:
        row = json.loads(line)
        picture = folder / row["image"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it names no image"
        raise TrainingError(f"{what} is no label: {reason}.") from error
    try:
        inside = picture.resolve().is_relative_to(home)
    except (OSError, RuntimeError, ValueError):  # links in a circle, a NUL in the name
        inside = False
    if not inside:
        raise TrainingError(
            f"{what}: {row['image']!r} is no picture inside the folder. "
            "Copy the picture there and correct the row."
        )
    return picture, row
