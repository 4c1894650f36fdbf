"""How far the confidences of readings can be believed, on labelled sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdk.metrics import letters_and_digits
from training.evaluate.confidence.lines import judged_characters
from training.evaluate.confidence.reliability import Reliability, draw_reliability
from training.evaluate.diagnose.diagnosis import READ, Verdict
from training.evaluate.diagnose.raw_reading import Looker
from training.evaluate.diagnose.report import write_csv
from training.evaluate.diagnose.run import diagnose_set, make_folder
from training.evaluate.preview import save_sheet

__all__ = ["of_verdicts", "report"]

Points = list[tuple[float, bool]]


def of_verdicts(verdicts: Sequence[Verdict]) -> dict[str, Reliability]:
    """Return how far confidences are right, of characters and of whole lines.

    On photos, the line judged is the one in the place of the label. Where a label is a part of its
    line, the label stands for the line.

    Returns:
        As `training.evaluate.confidence.lines.reliability`.
    """
    named: dict[str, Points] = {"characters": [], "lines": [], "mean": []}
    for v in verdicts:
        if not letters_and_digits(v.reading):
            continue
        right = v.stage == READ or v.stage == "rejected"
        named["characters"] += judged_characters(v.label, v.reading, v.chars, v.part)
        named["lines"].append((math.prod(v.chars), right))
        named["mean"].append((v.confidence, right))
    return {name: Reliability.of(points) for name, points in named.items()}


def report(
    looker: Looker,
    sets: Sequence[Path],
    out: Path,
    *,
    limit: int | None = None,
    progress: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Measure sets and write ``reliability.csv``, ``bins.csv`` and ``SET.png``.

    Args:
        looker: Reads the pictures.
        sets: Shards or labelled folders.
        out: Folder for the files; made if missing.
        limit: Most pictures of a set.
        progress: Takes a line of text per set.

    Returns:
        Rows of measures, by set and by what is judged.

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
        found = diagnose_set(looker, folder, complete=False, limit=limit, most=0)
        named = of_verdicts(found.verdicts)
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
