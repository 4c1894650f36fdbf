"""Reliability of the confidences of readings on labeled sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdk.metrics import letters_and_digits
from training.evaluate.confidence.labeled_logits import judged_characters
from training.evaluate.confidence.reliability import Reliability, draw_reliability
from training.evaluate.diagnose.diagnosis import READ, Diagnosis
from training.evaluate.diagnose.raw_reading import RawReader
from training.evaluate.diagnose.report import write_csv
from training.evaluate.diagnose.run import diagnose_set, make_folder
from training.evaluate.preview import save_sheet

__all__ = ["reliability_of", "report"]

Points = list[tuple[float, bool]]


def reliability_of(diagnoses: Sequence[Diagnosis]) -> dict[str, Reliability]:
    """Return the reliability of confidences, for characters and for whole lines.

    In photos, the line at the place of a label is judged by this label, even if the label is only a
    part of the line.

    Returns:
        ``characters``: confidence of each character, and whether the character is right;
        ``lines``: probability of the line, and whether the whole line is right;
        ``mean``: the same with the confidence of the line, which thresholds compare with.
    """
    named: dict[str, Points] = {"characters": [], "lines": [], "mean": []}
    for v in diagnoses:
        if not letters_and_digits(v.reading):
            continue
        right = v.stage == READ or v.stage == "rejected"
        named["characters"] += judged_characters(v.label, v.reading, v.chars, v.part)
        named["lines"].append((v.probability, right))
        named["mean"].append((v.confidence, right))
    return {name: Reliability.of(points) for name, points in named.items()}


def report(
    reader: RawReader,
    sets: Sequence[Path],
    out: Path,
    *,
    limit: int | None = None,
    progress: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Measure sets and write ``reliability.csv``, ``bins.csv`` and ``SET.png``.

    Args:
        reader: Reads the pictures.
        sets: Shards or labeled folders.
        out: Folder for the files; created if missing.
        limit: Greatest number of pictures of a set.
        progress: Called with a line of text for each set.

    Returns:
        Rows of measures by set, for characters, lines and means.

    Raises:
        TrainingError: A row of labels is damaged.
        ShardError: A shard is damaged.
        SdkError: A picture cannot be read or a file not be written.
    """
    make_folder(out)
    rows: list[dict[str, Any]] = []
    bins: list[dict[str, Any]] = []
    everything: dict[str, list[Reliability]] = {}

    def add(name: str, named: dict[str, Reliability]) -> None:
        rows.extend({"set": name, "of": key, **r.measures()} for key, r in named.items())
        bins.extend(
            {"set": name, "of": key, "count": b.count}
            | {"confidence": round(b.confidence, 4), "right": round(b.right, 4)}
            for key, r in named.items()
            for b in r.bins()
        )
        save_sheet([draw_reliability(named)], out / f"{name}.png")

    for folder in sets:
        found = diagnose_set(reader, folder, complete=False, limit=limit, most=0)
        named = reliability_of(found.diagnoses)
        add(folder.name, named)
        for key, points in named.items():
            everything.setdefault(key, []).append(points)
        progress(f"{folder.name}: {len(named['lines'].right)} lines")
    if len(sets) > 1:
        add("all", {key: _joined(parts) for key, parts in everything.items()})
    write_csv(out / "reliability.csv", rows)
    write_csv(out / "bins.csv", bins)
    return rows


def _joined(parts: Sequence[Reliability]) -> Reliability:
    return Reliability(
        np.concatenate([p.confidences for p in parts]), np.concatenate([p.right for p in parts])
    )
