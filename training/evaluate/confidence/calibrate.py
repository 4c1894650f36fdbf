"""Temperature calibration of a bundle."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sdk.model.bundle import Bundle, write_manifest
from training.errors import TrainingError
from training.evaluate.confidence.labeled_logits import LogitReader, read_logits, reliability
from training.evaluate.confidence.temperature import fit_temperature, same_share
from training.evaluate.diagnose.report import table

__all__ = ["calibrate"]

_BOUNDS = (
    "recognize.min_confidence",
    "retry.photo.confidence",
    "retry.crop.confidence",
    "retry.flip.confidence",
)


def calibrate(
    folder: Path,
    data: Sequence[Path],
    *,
    limit: int | None = None,
    write: bool = True,
    progress: Callable[[str], None] = print,
) -> dict[str, float]:
    """Fit a temperature for each graph on every second line, and test on the other lines.

    Args:
        folder: The bundle; its ``model.json`` is replaced atomically.
        data: Held-back shards of line images or photos.
        limit: Greatest number of pictures of a folder.
        write: Whether the bundle stores the temperatures.
        progress: Called with lines of text.

    Returns:
        The temperatures by graph.

    Raises:
        TrainingError: There are too few lines.
        ShardError: A shard is damaged.
        SdkError: The bundle cannot be used or written.
    """
    bundle = Bundle.open(folder)
    manifest = bundle.manifest
    with contextlib.closing(LogitReader(bundle)) as reader:
        groups = read_logits(reader, data, limit)
    if not groups:
        raise TrainingError(
            "The data hold no line that was detected. Give shards of line images or of photos."
        )
    temperature = dict(manifest.temperature)
    for graph, lines in groups.items():
        old = temperature.get(graph, 1.0)
        fitted, others = lines[::2], lines[1::2]
        new = temperature[graph] = fit_temperature(fitted, manifest.charset)
        rows = [
            {"temperature": t, "of": name, **points.measures()}
            for t in (old, new)
            for name, points in reliability(others, manifest.charset, t).items()
        ]
        progress(
            f"{graph}: temperature {old:g} -> {new:g}, fitted on {len(fitted)} lines; "
            f"on the {len(others)} others:\n{table(rows)}"
        )
        moved = []
        for name in _BOUNDS:
            bound = manifest.decode.get(name)
            before, after, equal = same_share(lines, manifest.charset, old, new, bound)
            moved.append(
                {
                    "bound": name,
                    "value": bound,
                    "below before": round(before, 4),
                    "below now": round(after, 4),
                    "for as many": round(equal, 3),
                }
            )
        progress(f"share of lines below the bounds, which stay as they are:\n{table(moved)}")
    if write:
        write_manifest(folder, replace(manifest, temperature=temperature))
        progress(f"Written to {folder}. The bounds are chosen by: python -m training sweep")
    return temperature
