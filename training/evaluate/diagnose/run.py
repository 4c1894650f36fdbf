"""The diagnosis of one or several labelled sets, written to a folder."""

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
    Verdict,
    sort_line,
    sort_photo,
    unlabelled,
)
from training.evaluate.diagnose.raw_reading import Looker
from training.evaluate.diagnose.report import heights, line_rows, summary, table, write_csv
from training.evaluate.diagnose.sheets import tile
from training.evaluate.preview import save_sheet

__all__ = ["SetDiagnosis", "diagnose", "diagnose_set", "make_folder"]


@dataclass
class SetDiagnosis:
    """What became of the labels of one set.

    Attributes:
        name: Of the set.
        pictures: Number of pictures.
        verdicts: One per label.
        unlabelled: Lines read where no label is; None if not all text is labelled.
        tiles: Pictures of what was lost, by stage: (confidence, picture).
    """

    name: str
    pictures: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    unlabelled: int | None = None
    tiles: dict[str, list[tuple[float, np.ndarray]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def confusion(self) -> Confusion:
        """Return which characters were read as which where a line was read in a good box."""
        counts = Confusion()
        for v in self.verdicts:
            if v.stage == READ:
                # what was read in its place may be split or more than the label
                counts.add(v.label, v.label)
            elif v.stage == "wrong characters":
                counts.add(v.label, v.reading, v.part)
        return counts


def diagnose_set(
    looker: Looker, folder: Path, *, complete: bool, limit: int | None = None, most: int = 96
) -> SetDiagnosis:
    """Return what became of the labels of a set.

    Args:
        looker: Reads the pictures.
        folder: Shards or a labelled folder.
        complete: Whether all text of its photos is labelled.
        limit: Most pictures.
        most: Most tiles kept per stage.

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
            read = looker.line(image)
            small = float(min(image.shape[:2]))
            verdicts = [sort_line(record["image"], record["text"], read, small)]
        else:
            look = looker.look(image)
            boxes = look.boxes
            verdicts = sort_photo(record["image"], record["texts"], look, looker.bound)
            if complete:
                extra = unlabelled(record["texts"], look, looker.bound)
                out.unlabelled = (out.unlabelled or 0) + extra
        out.verdicts += verdicts
        for verdict in verdicts:
            kept = out.tiles[verdict.stage]
            if verdict.stage != READ and len(kept) < most:
                kept.append((verdict.confidence, tile(verdict, image, boxes)))
    return out


def diagnose(
    looker: Looker,
    sets: Sequence[Path],
    out: Path,
    *,
    complete: bool = False,
    limit: int | None = None,
    most: int = 96,
    source: str = "",
    progress: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Diagnose sets and write what was found.

    Files in ``out``: ``SET/STAGE.png`` (contact sheets, surest readings first),
    ``SET/confusion.txt`` and the same of all sets, ``confusion.csv``, ``lines.csv`` (a row per
    label), ``summary.csv``, ``summary.json``.

    Args:
        looker: Reads the pictures.
        sets: Shards or labelled folders.
        out: Folder for the files; made if missing.
        complete: Whether all text of labelled photos is labelled; of generated ones it always is.
        limit: Most pictures of a set.
        most: Most tiles of a contact sheet.
        source: What was read with, for the record.
        progress: Takes a line of text per set.

    Returns:
        The counts, a row per set and one of all.

    Raises:
        TrainingError: A row of labels is damaged, or a run cannot read such pictures.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read or a file not be written.
    """
    rows, lines, pairs = [], [], []
    verdicts: list[Verdict] = []
    confusion = Confusion()
    for folder in sets:
        make_folder(out / folder.name)
        labelled = complete or not (folder / LABELS).exists()
        found = diagnose_set(looker, folder, complete=labelled, limit=limit, most=most)
        _write_sheets(found, out / folder.name)
        own = found.confusion()
        write_atomically(out / folder.name / "confusion.txt", own.text().encode())
        pairs += [{"set": folder.name, **row} for row in own.rows()]
        confusion.merge(own)
        rows.append(summary(found.name, found.pictures, found.verdicts, found.unlabelled))
        lines += line_rows(found.name, found.verdicts)
        verdicts += found.verdicts
        lost = ", ".join(f"{rows[-1][stage]} {stage}" for stage in STAGES if rows[-1][stage])
        progress(f"{folder.name}: {rows[-1][READ]} of {len(found.verdicts)} read; {lost or '-'}")
    counted = [row["unlabelled"] for row in rows if row["unlabelled"] is not None]
    extra = sum(counted) if counted else None
    rows.append(summary("all", sum(row["pictures"] for row in rows), verdicts, extra))
    write_csv(out / "lines.csv", lines)
    write_csv(out / "confusion.csv", pairs)
    write_atomically(out / "confusion.txt", confusion.text().encode())
    write_csv(out / "summary.csv", rows)
    by_height = heights(verdicts)
    record = {"source": source, "bound": looker.bound, "sets": rows, "frame_heights": by_height}
    write_atomically(out / "summary.json", (json.dumps(record, indent=1) + "\n").encode())
    if any(row["labels"] for row in by_height):
        progress("\nlabels of photos by height on the frame, px:\n" + table(by_height))
    return rows


def make_folder(folder: Path) -> None:
    """Make a folder for results, and those above it.

    Raises:
        TrainingError: It cannot be made.
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
