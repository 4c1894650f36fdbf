"""Counts by set and stage, as files and as a table."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sdk.files import write_atomically
from training.errors import TrainingError
from training.evaluate.diagnose.diagnosis import READ, STAGES, Diagnosis

__all__ = ["changes", "heights", "line_rows", "read_summary", "summary", "table", "write_csv"]

Row = dict[str, Any]

_OLD_KEY = "unlabelled"  # in the summaries of earlier versions
_HEIGHTS_PX = (8, 12, 16, 24, 32, 48)


def summary(name: str, pictures: int, diagnoses: Sequence[Diagnosis], extra: int | None) -> Row:
    """Return the counts of one set.

    Args:
        name: Name of the set.
        pictures: Number of its pictures.
        diagnoses: One for each label.
        extra: Number of lines read outside all labels; None if not all text is labeled.
    """
    stages = Counter(v.stage for v in diagnoses)
    share = round(stages[READ] / len(diagnoses), 4) if diagnoses else 0.0
    row: Row = {"set": name, "pictures": pictures, "labels": len(diagnoses)}
    row |= {READ: stages[READ], "share": share}
    row |= {stage: stages[stage] for stage in STAGES}
    return {**row, "unlabeled": extra}


def line_rows(name: str, diagnoses: Sequence[Diagnosis]) -> list[Row]:
    """Return a row for each label."""
    return [
        {
            "set": name,
            "picture": v.picture,
            "label": v.label,
            "reading": v.reading,
            "confidence": round(v.confidence, 4),
            "stage": v.stage,
            "detail": v.detail,
            "height_px": round(v.height_px, 1),
            "frame_px": round(v.frame_px, 1),
            "iou": round(v.iou, 3),
        }
        for v in diagnoses
    ]


def heights(diagnoses: Sequence[Diagnosis]) -> list[Row]:
    """Return the counts of labels in photos by height on the detector's frame."""
    rows = []
    bounds = [0, *_HEIGHTS_PX]
    for low, high in zip(bounds, [*_HEIGHTS_PX, None], strict=True):
        stages = Counter(
            v.stage
            for v in diagnoses
            if v.frame_px and low <= v.frame_px and (high is None or v.frame_px < high)
        )
        labels = sum(stages.values())
        row: Row = {"height": f"{low}-{high}" if high else f"{low}+", "labels": labels}
        row |= {READ: stages[READ], "share": round(stages[READ] / labels, 4) if labels else 0.0}
        rows.append(row | {stage: stages[stage] for stage in STAGES})
    return rows


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same keys as CSV with a header.

    Raises:
        SdkError: The file cannot be written.
    """
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_atomically(path, buffer.getvalue().encode())


def read_summary(folder: Path) -> list[Row]:
    """Return the rows of an earlier diagnosis.

    Raises:
        TrainingError: The folder holds none.
    """
    path = folder / "summary.json"
    try:
        rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))["sets"]
        for row in rows:
            if _OLD_KEY in row:
                row["unlabeled"] = row.pop(_OLD_KEY)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"Cannot read the diagnosis {path}: {error}. "
            "Give the --out folder of an earlier diagnosis."
        ) from error
    return rows


def changes(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """Return the change of each count, for the sets of both."""
    earlier = {row["set"]: row for row in before}
    return [
        {
            key: value
            if key in ("set", "pictures", "labels") or value is None
            else round(value - (earlier[row["set"]].get(key) or 0), 4)
            for key, value in row.items()
        }
        for row in after
        if row["set"] in earlier
    ]


def table(rows: Sequence[Row]) -> str:
    """Return rows with the same keys as text in columns."""
    if not rows:
        return ""
    cells = [list(rows[0])] + [["" if v is None else str(v) for v in r.values()] for r in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines) + "\n"
