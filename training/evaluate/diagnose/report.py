"""Counts per set and stage, as files to keep and as a table to read."""

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
from training.evaluate.diagnose.diagnosis import READ, STAGES, Verdict

__all__ = ["changes", "heights", "line_rows", "read_summary", "summary", "table", "write_csv"]

Row = dict[str, Any]

_HEIGHTS_PX = (8, 12, 16, 24, 32, 48)


def summary(name: str, pictures: int, verdicts: Sequence[Verdict], extra: int | None) -> Row:
    """Return the counts of one set.

    Args:
        name: Of the set.
        pictures: Number of its pictures.
        verdicts: One per label.
        extra: Lines read where no label is; None if not all text is labelled.
    """
    stages = Counter(v.stage for v in verdicts)
    share = round(stages[READ] / len(verdicts), 4) if verdicts else 0.0
    row: Row = {"set": name, "pictures": pictures, "labels": len(verdicts)}
    row |= {READ: stages[READ], "share": share}
    row |= {stage: stages[stage] for stage in STAGES}
    return {**row, "unlabelled": extra}


def line_rows(name: str, verdicts: Sequence[Verdict]) -> list[Row]:
    """Return a row per label."""
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
        for v in verdicts
    ]


def heights(verdicts: Sequence[Verdict]) -> list[Row]:
    """Return how labels of photos were read by their height on the detector's frame."""
    rows = []
    bounds = [0, *_HEIGHTS_PX]
    for low, high in zip(bounds, [*_HEIGHTS_PX, None], strict=True):
        stages = Counter(
            v.stage
            for v in verdicts
            if v.frame_px and low <= v.frame_px and (high is None or v.frame_px < high)
        )
        labels = sum(stages.values())
        row: Row = {"height": f"{low}-{high}" if high else f"{low}+", "labels": labels}
        row |= {READ: stages[READ], "share": round(stages[READ] / labels, 4) if labels else 0.0}
        rows.append(row | {stage: stages[stage] for stage in STAGES})
    return rows


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the same keys with a header.

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
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"Cannot read the diagnosis {path}: {error}. "
            "Name a folder that an earlier diagnose wrote with --out."
        ) from error
    return rows


def changes(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """Return, for the sets of both, how much each count grew."""
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
    """Return rows of the same keys as text in columns."""
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
