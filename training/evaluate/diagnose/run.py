"""The diagnosis of one or several labeled sets, written to a folder."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sdk.files import write_atomically
from training.data.labels import LABELS
from training.data.sets import read_samples
from training.errors import TrainingError
from training.evaluate.diagnose.confusion import Confusion
from training.evaluate.diagnose.diagnosis import (
    READ,
    STAGES,
    Diagnosis,
    diagnose_line,
    diagnose_photo,
    unlabeled,
)
from training.evaluate.diagnose.raw_reading import RawReader
from training.evaluate.diagnose.report import heights, line_rows, summary, table, write_csv
from training.evaluate.diagnose.sheets import tile
from training.evaluate.preview import save_sheet

__all__ = ["SetDiagnosis", "diagnose", "diagnose_set", "make_folder"]


@dataclass
class SetDiagnosis:
    """The diagnoses of one set.

    Attributes:
        name: Name of the set.
        pictures: Number of pictures.
        diagnoses: One for each label.
        unlabeled: Number of lines read outside all labels; None if not all text is labeled.
        tiles: (confidence, picture) of labels that were not read, by stage.
    """

    name: str
    pictures: int = 0
    diagnoses: list[Diagnosis] = field(default_factory=list)
    unlabeled: int | None = None
    tiles: dict[str, list[tuple[float, np.ndarray]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def confusion(self) -> Confusion:
        """Return the character confusions of lines read in a good box."""
        counts = Confusion()
        for v in self.diagnoses:
            if v.stage == READ:
                # the reading at its place may be split, or longer than the label
                counts.add(v.label, v.label)
            elif v.stage == "wrong characters":
                counts.add(v.label, v.reading, v.part)
        return counts


def diagnose_set(
    reader: RawReader, folder: Path, *, complete: bool, limit: int | None = None, most: int = 96
) -> SetDiagnosis:
    """Return the diagnoses of a set.

    Args:
        reader: Reads the pictures.
        folder: Shards or a labeled folder.
        complete: Whether all text of its photos is labeled.
        limit: Greatest number of pictures.
        most: Greatest number of tiles for each stage.

    Raises:
        TrainingError: A row of labels is damaged, or a run cannot read such pictures.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read.
    """
    out = SetDiagnosis(folder.name)
    for image, record in itertools.islice(read_samples(folder), limit):
        out.pictures += 1
        boxes = np.zeros((0, 4, 2), np.float32)
        if "text" in record:
            read = reader.read_line(image)
            small = float(min(image.shape[:2]))
            diagnoses = [diagnose_line(record["image"], record["text"], read, small)]
        else:
            raw = reader.read_photo(image)
            boxes = raw.boxes
            diagnoses = diagnose_photo(record["image"], record["texts"], raw, reader.bound)
            if complete:
                extra = unlabeled(record["texts"], raw, reader.bound)
                out.unlabeled = (out.unlabeled or 0) + extra
        out.diagnoses += diagnoses
        for diagnosis in diagnoses:
            kept = out.tiles[diagnosis.stage]
            if diagnosis.stage != READ and len(kept) < most:
                kept.append((diagnosis.confidence, tile(diagnosis, image, boxes)))
    return out


def diagnose(
    reader: RawReader,
    sets: Sequence[Path],
    out: Path,
    *,
    complete: bool = False,
    limit: int | None = None,
    most: int = 96,
    source: str = "",
    progress: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Diagnose sets and write the results.

    Files in ``out``: ``SET/STAGE.png`` (contact sheets, highest confidence first),
    ``SET/confusion.txt`` and the same for all sets, ``confusion.csv``, ``lines.csv`` (a row for
    each label), ``summary.csv``, ``summary.json``.

    Args:
        reader: Reads the pictures.
        sets: Shards or labeled folders.
        out: Folder for the files; created if missing.
        complete: Whether all text of labeled photos is labeled; in generated photos it always is.
        limit: Greatest number of pictures of a set.
        most: Greatest number of tiles in a contact sheet.
        source: Name of the bundle or run, for the record.
        progress: Called with a line of text for each set.

    Returns:
        The counts: a row for each set and a row for all sets.

    Raises:
        TrainingError: A row of labels is damaged, or a run cannot read such pictures.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read or a file not be written.
    """
    rows, lines, pairs = [], [], []
    diagnoses: list[Diagnosis] = []
    confusion = Confusion()
    for folder in sets:
        make_folder(out / folder.name)
        labeled = complete or not (folder / LABELS).exists()
        found = diagnose_set(reader, folder, complete=labeled, limit=limit, most=most)
        _write_sheets(found, out / folder.name)
        own = found.confusion()
        write_atomically(out / folder.name / "confusion.txt", own.text().encode())
        pairs += [{"set": folder.name, **row} for row in own.rows()]
        confusion.merge(own)
        rows.append(summary(found.name, found.pictures, found.diagnoses, found.unlabeled))
        lines += line_rows(found.name, found.diagnoses)
        diagnoses += found.diagnoses
        lost = ", ".join(f"{rows[-1][stage]} {stage}" for stage in STAGES if rows[-1][stage])
        progress(f"{folder.name}: {rows[-1][READ]} of {len(found.diagnoses)} read; {lost or '-'}")
    counted = [row["unlabeled"] for row in rows if row["unlabeled"] is not None]
    extra = sum(counted) if counted else None
    rows.append(summary("all", sum(row["pictures"] for row in rows), diagnoses, extra))
    write_csv(out / "lines.csv", lines)
    write_csv(out / "confusion.csv", pairs)
    write_atomically(out / "confusion.txt", confusion.text().encode())
    write_csv(out / "summary.csv", rows)
    by_height = heights(diagnoses)
    record = {"source": source, "bound": reader.bound, "sets": rows, "frame_heights": by_height}
    write_atomically(out / "summary.json", (json.dumps(record, indent=1) + "\n").encode())
    if any(row["labels"] for row in by_height):
        progress("\nlabels of photos by height on the frame, px:\n" + table(by_height))
    return rows


def make_folder(folder: Path) -> None:
    """Create a folder for results, with its parents.

    Raises:
        TrainingError: The folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"Cannot make the folder {folder}: {error.strerror or error}. Choose another --out."
        ) from error


def _write_sheets(found: SetDiagnosis, folder: Path) -> None:
    for stage in STAGES:
        path = folder / f"{stage.replace(' ', '-')}.png"
        tiles = sorted(found.tiles[stage], key=lambda pair: -pair[0])
        if tiles:
            save_sheet([picture for _, picture in tiles], path)
        else:
            # one of an earlier diagnosis would be taken for this one's
            path.unlink(missing_ok=True)
