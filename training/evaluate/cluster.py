"""Evaluation on the nodes of a cluster: the nodes read, this process compares with the labels."""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sdk.cluster.dispatch import Finished, Lost, dispatch
from sdk.cluster.folders import check_seen
from sdk.cluster.session import Cluster
from sdk.cluster.versions import check_same, reader_origin, versions
from sdk.errors import ModelError, SdkError
from sdk.native_notes import native_notes_to_log
from sdk.reader import Reader
from training.data.labels import has_text
from training.data.sets import Slice, cut, opened, tell_without_text
from training.data.shards import ShardError
from training.errors import TrainingError
from training.evaluate.measures import measure, read_sample
from training.evaluate.readers import BundleReader, PictureReader
from training.evaluate.reading import LineReading
from training.startup import load_keras

__all__ = ["ReaderSpec", "evaluate_on_cluster"]

_SLICE = 20
"""Pictures of a labeled folder in a task."""

_Readings = tuple[list[tuple[dict[str, Any], list[LineReading]]], int]


@dataclass(frozen=True)
class ReaderSpec:
    """A reader that every node can open, on one CPU core.

    Attributes:
        source: Name or folder of a bundle, or a run folder, at the same place on every node.
        is_run: Whether the source is a run.
        min_confidence: Least confidence of a bundle's lines in photos; None for its own bound.
        size: Longest side of photos in px that networks of a run read.
        backend: Backend of Keras, for a run.
    """

    source: str
    is_run: bool = False
    min_confidence: float | None = None
    size: int = 640
    backend: str = ""

    def origin(self) -> dict[str, str]:
        """Return the versions and the weights that decide what is read, in this process.

        Raises:
            SdkError: The bundle cannot be used.
            TrainingError: The folder is not a run.
        """
        if not self.is_run:
            return reader_origin(self.source, None)
        load_keras()
        import keras

        from training.runs.folder import AVERAGED, CONFIG

        folder = Path(self.source)
        digest = hashlib.sha256()
        try:
            for name in (CONFIG, AVERAGED):
                digest.update((folder / name).read_bytes())
        except OSError as error:
            raise TrainingError(f"Cannot read the run {folder}: {error.strerror}.") from error
        made_by = {"keras": keras.__version__, "backend": keras.backend.backend()}
        return {**versions(), **made_by, "run": digest.hexdigest()}

    def open(self) -> PictureReader:
        """Return the reader, in this process.

        Raises:
            SdkError: The bundle cannot be used.
            TrainingError: The folder is not a run.
        """
        if not self.is_run:
            with native_notes_to_log():
                reader = Reader(self.source, device="cpu", threads=1)
            return BundleReader(reader, self.min_confidence)
        from training.evaluate.readers import NetworkReader
        from training.runs.folder import load_run

        run = load_run(self.source)
        return NetworkReader(run.models, run.config, self.size)


def evaluate_on_cluster(
    cluster: Cluster, spec: ReaderSpec, folder: Path, limit: int | None = None, split: str = ""
) -> dict[str, float]:
    """Return the measures of one set, as `evaluate` does in one process.

    Args:
        cluster: The cluster.
        spec: Reader to evaluate.
        folder: Shards or a labeled folder, at the same place on every node.
        limit: Greatest number of pictures.
        split: Part of a labeled folder, see `read_samples`.

    Raises:
        TrainingError: As `evaluate`; or pictures killed their process at every attempt.
        ClusterError: A node differs from this machine, does not see the set, or fails.
    """
    origin = tuple(spec.origin().items())
    names: list[str] = []

    def jobs() -> Iterator[tuple[str, tuple[Any, ...]]]:
        for piece in cut(folder.absolute(), split, limit, _SLICE):
            names.append(f"{folder.name}, slice {len(names)}")
            yield names[-1], (spec, origin, piece)

    found: dict[str, _Readings] = {}
    for outcome in dispatch(cluster, _read, jobs(), threading.Event()):
        if isinstance(outcome, Lost):
            raise TrainingError(
                f"{outcome.job} cannot be evaluated: its process {outcome.reason} at every attempt."
            )
        if isinstance(outcome, Finished):
            found[outcome.job] = outcome.value
    tell_without_text(folder, sum(without for _, without in found.values()))
    return measure(chain.from_iterable(found[name][0] for name in names))


def _read(spec: ReaderSpec, origin: tuple[tuple[str, str], ...], piece: Slice) -> _Readings:
    """Return the records and readings of a slice, and its number of pictures without a text."""
    for path in (piece.shard, *(row[0] for row in piece.rows[:1])):
        if path is not None:
            check_seen(path.parent)
    try:
        reader = _reader(spec, origin)
        readings = []
        without = 0
        for picture, record in piece.records():
            if has_text(record):
                readings.append((record, read_sample(reader, opened(picture), record)))
            else:
                without += 1
    except (TrainingError, ShardError) as error:
        raise SdkError(str(error)) from error
    return readings, without


@functools.lru_cache(maxsize=1)
def _reader(spec: ReaderSpec, origin: tuple[tuple[str, str], ...]) -> PictureReader:
    """Return the reader of this process; each task has one core."""
    if spec.is_run:
        os.environ["KERAS_BACKEND"] = spec.backend
    try:
        check_same(dict(origin), spec.origin())
    except (ModelError, TrainingError) as error:
        raise SdkError(f"{error} It must be at the same place on every node.") from error
    return spec.open()
