"""Labeled sets: folders of shards or of labeled pictures, read sample by sample."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sdk.image.load import load_image
from training.data.labels import LABELS, NO_LABEL, has_text, is_label, read_labeled, split_of
from training.data.shards import list_shards, read_encoded, read_shard
from training.errors import TrainingError

__all__ = [
    "Sample",
    "Slice",
    "cut",
    "default_split",
    "find_sets",
    "opened",
    "read_samples",
    "tell_without_text",
]

_log = logging.getLogger("training")

Sample = tuple[np.ndarray, dict[str, Any]]

_Picture = TypeVar("_Picture")


def find_sets(folder: Path | str, only: str = "") -> list[Path]:
    """Return the sets in a folder: the folder itself, or its subfolders with shards or labels.

    Args:
        folder: Folder to search.
        only: Names of the wanted sets, separated by commas; empty for all.

    Raises:
        TrainingError: There is none, or one of the names is missing.
    """
    folder = Path(folder)

    def is_set(path: Path) -> bool:
        return (path / LABELS).exists() or any(path.glob("shard-*.tar"))

    subfolders = folder.glob("*")
    sets = [folder] if is_set(folder) else sorted(p for p in subfolders if p.is_dir() and is_set(p))
    if not sets:
        raise TrainingError(
            f"Nothing to evaluate on in {folder}: found neither labels.jsonl nor shard-*.tar, "
            "there or in a subfolder."
        )
    names = only.split(",") if only else [path.name for path in sets]
    missing = sorted(set(names) - {path.name for path in sets})
    if missing:
        raise TrainingError(
            f"{folder} holds no set {', '.join(missing)}. "
            f"It holds: {', '.join(path.name for path in sets)}."
        )
    return [path for path in sets if path.name in names]


def default_split(folder: Path) -> str:
    """Return the split that `read_samples` reads by default, after the first row of a folder.

    Returns:
        ``test`` if the row names its split, otherwise ``all``.

    Raises:
        TrainingError: The labels cannot be read.
    """
    if not (folder / LABELS).exists():
        return "all"
    return "test" if any("split" in row for _, row in islice(read_labeled(folder), 1)) else "all"


def read_samples(folder: Path, split: str = "") -> Iterator[Sample]:
    """Yield (uint8 RGB picture, record) of shards or of a labeled folder, in order.

    Line images without a text are left out; their number is logged.

    Args:
        folder: Shards or a labeled folder.
        split: Part of a labeled folder, one of `SPLITS`, or ``all``. By default ``test`` of rows
            that name their split, and all rows that do not.

    Raises:
        TrainingError: A row of labels is damaged, or no label of a line or a photo; or the folder
            has no row of this split.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read.
    """
    records: Iterator[tuple[np.ndarray | Path, dict[str, Any]]] = (
        _rows(folder, split) if (folder / LABELS).exists() else _records_of_shards(folder)
    )
    without = 0
    for picture, record in records:
        if has_text(record):
            yield opened(picture), record
        else:
            without += 1
    tell_without_text(folder, without)


def opened(picture: np.ndarray | Path) -> np.ndarray:
    """Return a picture of a record, uint8 RGB (H, W, 3).

    Raises:
        SdkError: The file cannot be read.
    """
    return picture if isinstance(picture, np.ndarray) else load_image(picture)


def tell_without_text(folder: Path, count: int) -> None:
    """Log how many pictures of a set are left out because they have no text."""
    if count:
        _log.warning("%s: %d pictures have no text and are not counted", folder, count)


@dataclass(frozen=True)
class Slice:
    """Consecutive samples of a set: a shard, or rows of a labeled folder.

    Attributes:
        shard: The shard; None for a labeled folder.
        rows: Path of the picture and record, in a labeled folder.
        limit: Greatest number of samples with a text; None for all.
    """

    shard: Path | None = None
    rows: Sequence[tuple[Path, dict[str, Any]]] = ()
    limit: int | None = None

    def records(self) -> Iterator[tuple[np.ndarray | Path, dict[str, Any]]]:
        """Return (picture or its path, record), also those without a text, until the limit."""
        return _limited(self.rows if self.shard is None else _records(self.shard), self.limit)


def cut(folder: Path, split: str, limit: int | None, size: int) -> Iterator[Slice]:
    """Yield slices which together have the samples of `read_samples`, in order.

    Args:
        folder: Shards or a labeled folder.
        split: Part of a labeled folder, see `read_samples`.
        limit: Greatest number of samples.
        size: Rows of a labeled folder in a slice; a shard is a slice.

    Raises:
        TrainingError: As `read_samples`.
        ShardError: A shard is damaged.
    """
    if (folder / LABELS).exists():
        rows = list(_limited(_rows(folder, split), limit))
        for start in range(0, len(rows), size):
            yield Slice(rows=rows[start : start + size])
        return
    left = limit
    for path in list_shards(folder):
        yield Slice(shard=path, limit=left)
        if left is not None:
            left -= sum(has_text(record) for _, record in read_encoded(path))
            if left <= 0:
                return


def _limited(
    records: Iterable[tuple[_Picture, dict[str, Any]]], limit: int | None
) -> Iterator[tuple[_Picture, dict[str, Any]]]:
    """Yield records until a number of them have had a text."""
    texts = 0
    for picture, record in records:
        if texts == limit:
            return
        texts += has_text(record)
        yield picture, record


def _records_of_shards(folder: Path) -> Iterator[tuple[np.ndarray | Path, dict[str, Any]]]:
    for path in list_shards(folder):
        yield from _records(path)


def _records(shard: Path) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    for image, record in read_shard(shard):
        if not is_label(record):
            raise TrainingError(f"{shard}: {record['image']} {NO_LABEL}")
        yield image, record


def _rows(folder: Path, split: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    found = False
    for picture, record in read_labeled(folder):
        side = split_of(record) if split else record.get("split", "test")
        if split == "all" or side == (split or "test"):
            found = True
            yield picture, record
    if not found:
        raise TrainingError(
            f"{folder / LABELS} has no row of the split {split or 'test'}. "
            "Choose another one with --split, or prepare the folder with other shares."
        )
