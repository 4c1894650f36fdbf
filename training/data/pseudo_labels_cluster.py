"""Pseudo-labels by teachers on the nodes of a cluster, which see the photos at the same place."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sdk.cluster.dispatch import Finished, Lost, dispatch
from sdk.cluster.folders import check_seen
from sdk.cluster.session import joined
from sdk.cluster.versions import check_same, versions
from sdk.errors import SdkError
from training.data.pseudo_labels import Labels, RapidOcr, label, write_labels
from training.errors import TrainingError

__all__ = ["teach_on_cluster"]

_PHOTOS = 3
"""Photos in a task: a teacher reads for seconds."""
_PACKAGES = ("rapidocr", "onnxruntime")


def teach_on_cluster(address: str, source: Path, folder: Path, sure: float) -> dict[str, int]:
    """Write a labeled folder as `training.data.pseudo_labels.teach` does with `RapidOcr`.

    The nodes read; this machine copies the photos and writes the labels.

    Args:
        address: HOST:PORT of a Ray cluster that this machine is a node of.
        source: Folder of pictures, at the same place on every node.
        folder: Folder to write.
        sure: Least confidence of a label, 0 to 1.

    Raises:
        TrainingError: As `teach`; or the teacher is not installed.
        ClusterError: The cluster cannot be reached, or a node differs from this machine, does not
            see the photos, or fails.
    """
    origin = tuple(_origin().items())

    def read(paths: Sequence[Path]) -> Iterator[tuple[Path, Labels]]:
        pieces = [paths[start : start + _PHOTOS] for start in range(0, len(paths), _PHOTOS)]
        jobs = (
            (str(piece[0]), ([path.absolute() for path in piece], sure, origin)) for piece in pieces
        )
        by_name = {str(piece[0]): piece for piece in pieces}
        with joined(address) as cluster:
            for outcome in dispatch(cluster, _label, jobs, threading.Event()):
                if isinstance(outcome, Finished):
                    yield from zip(by_name[outcome.job], outcome.value, strict=True)
                elif isinstance(outcome, Lost):
                    raise TrainingError(
                        f"One of {len(by_name[outcome.job])} photos from {outcome.job} on ends the "
                        f"teacher at every attempt ({outcome.reason}). What was read is kept: move "
                        "the photo away and run the same command again."
                    )

    return write_labels(source, folder, read)


def _origin() -> dict[str, str]:
    """Return the versions that decide what the teacher says, in this process.

    Raises:
        TrainingError: The teacher is not installed.
    """
    try:
        return {**versions(), **{name: version(name) for name in _PACKAGES}}
    except PackageNotFoundError as error:
        raise TrainingError(
            'The teacher needs the package rapidocr: pip install "fots-lite[teach]".'
        ) from error


def _label(paths: Sequence[Path], sure: float, origin: tuple[tuple[str, str], ...]) -> list[Labels]:
    check_seen(paths[0])
    try:
        teacher = _teacher(origin)
    except TrainingError as error:
        raise SdkError(str(error)) from error
    return [label(teacher, path, sure) for path in paths]


@functools.lru_cache(maxsize=1)
def _teacher(origin: tuple[tuple[str, str], ...]) -> RapidOcr:
    """Return the teacher of this process; each task has one core."""
    check_same(dict(origin), _origin())
    return RapidOcr(threads=1)
