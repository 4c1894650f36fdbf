"""Calibration of a bundle: temperatures of the graphs, then the probability of lines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sdk.model.bundle import Bundle, read_manifest, write_manifest
from sdk.model.line_probability import LineProbability
from training.errors import TrainingError
from training.evaluate.confidence.labeled_logits import LogitReader, read_logits, reliability
from training.evaluate.confidence.line_probability import fit_line_probability
from training.evaluate.confidence.reliability import Reliability
from training.evaluate.confidence.report import reliability_of
from training.evaluate.confidence.temperature import fit_temperature, same_share
from training.evaluate.diagnose.raw_reading import RawBundleReader
from training.evaluate.diagnose.report import table
from training.evaluate.diagnose.run import diagnose_set

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
    keep_temperature: bool = False,
    write: bool = True,
    progress: Callable[[str], None] = print,
) -> None:
    """Fit a temperature for each graph and the probability of lines.

    Each fit takes every second line and is tested on the other lines.

    Args:
        folder: The bundle; its ``model.json`` is replaced atomically.
        data: Held-back shards of line images or photos.
        limit: Greatest number of pictures of a folder.
        keep_temperature: Whether the bundle keeps its temperatures.
        write: Whether the bundle stores the calibration.
        progress: Called with lines of text.

    Raises:
        TrainingError: There are too few lines, or all are right or all wrong.
        ShardError: A shard is damaged.
        SdkError: The bundle cannot be used or written.
    """
    bundle = Bundle.open(folder)
    temperature = dict(bundle.manifest.temperature)
    if not keep_temperature:
        temperature |= _fit_temperatures(bundle, data, limit, progress)
    calibrated = replace(bundle, manifest=replace(bundle.manifest, temperature=temperature))
    lines = _fit_lines(calibrated, data, limit, progress)
    if write:
        # the opened manifest may have a lent detector's settings
        _, manifest = read_manifest(folder)
        write_manifest(folder, replace(manifest, temperature=temperature, line_probability=lines))
        progress(f"Written to {folder}. The bounds are chosen by: python -m training sweep")


def _fit_temperatures(
    bundle: Bundle, data: Sequence[Path], limit: int | None, progress: Callable[[str], None]
) -> dict[str, float]:
    """Return the temperature of each graph that read a line."""
    manifest = bundle.manifest
    with contextlib.closing(LogitReader(bundle)) as reader:
        groups = read_logits(reader, data, limit)
    if not groups:
        raise TrainingError(
            "The data hold no line that was detected. Give shards of line images or of photos."
        )
    temperature = {}
    for graph, lines in groups.items():
        old = manifest.temperature.get(graph, 1.0)
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
    return temperature


def _fit_lines(
    bundle: Bundle, data: Sequence[Path], limit: int | None, progress: Callable[[str], None]
) -> LineProbability:
    """Return the map from the confidence of a final reading to its probability."""
    diagnoses = []
    with contextlib.closing(RawBundleReader(bundle)) as reader:
        for folder in data:
            found = diagnose_set(reader, folder, complete=False, limit=limit, most=0)
            diagnoses += found.diagnoses
    named = reliability_of(diagnoses)
    said, mean = named["lines"].confidences, named["mean"]
    fitted = Reliability(mean.confidences[::2], mean.right[::2])
    new, others = fit_line_probability(fitted), mean.right[1::2]
    now = np.array([new.of(c) for c in mean.confidences[1::2]])
    rows = [
        {"probability": when, **Reliability(values, others).measures()}
        for when, values in (("before", said[1::2]), ("now", now))
    ]
    progress(
        f"lines: offset {new.offset:g}, slope {new.slope:g}, fitted on {len(fitted.right)} final "
        f"readings; on the {len(others)} others:\n{table(rows)}"
    )
    return new
