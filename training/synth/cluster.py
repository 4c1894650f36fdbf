"""Writing of shards on the nodes of a cluster, one task a shard."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from sdk.cluster.dispatch import Finished, Lost, dispatch
from sdk.cluster.folders import check_seen
from sdk.cluster.session import joined
from sdk.cluster.versions import check_same
from sdk.errors import ClusterError, SdkError
from training.data.shards import ShardError, remove_unfinished, write_shard
from training.synth.fonts import FontError
from training.synth.generator import Generator, SynthConfig
from training.synth.origin import origin
from training.synth.workers import Job, samples

__all__ = ["write_shards_on_cluster"]


def write_shards_on_cluster(
    jobs: Sequence[Job],
    config: SynthConfig,
    kind: str,
    size: tuple[int, int],
    address: str,
    head: dict[str, str],
    tell: Callable[[int], None],
) -> None:
    """Write shards in a folder that all nodes see at the same place.

    Args:
        jobs: Shards to write.
        config: Configuration of the generator.
        kind: "photo" or "line".
        size: (width, height) of photos in pixels.
        address: HOST:PORT of a Ray cluster that this machine is a node of.
        head: `origin` of this machine; a node with another one is refused.
        tell: Called after each shard with the number of its samples.

    Raises:
        ClusterError: The cluster cannot be reached, or a node differs from this machine or fails.
        ShardError: A shard killed its process at every attempt.
    """
    paths = [path.absolute() for path, _ in jobs]
    remove_unfinished(paths)
    tasks = (
        (path.name, (path, indices, config, kind, size, head))
        for path, (_, indices) in zip(paths, jobs, strict=True)
    )
    try:
        with joined(address) as cluster:
            for outcome in dispatch(cluster, _write, tasks, threading.Event()):
                if isinstance(outcome, Lost):
                    raise ShardError(
                        f"{outcome.job} cannot be written: its process {outcome.reason} at every "
                        "attempt. Complete shards are kept."
                    )
                if isinstance(outcome, Finished):
                    tell(outcome.value)
    finally:
        remove_unfinished(paths)


def _write(
    path: Path,
    indices: range,
    config: SynthConfig,
    kind: str,
    size: tuple[int, int],
    head: dict[str, str],
) -> int:
    generator = _generator(config)
    check_same(head, origin(generator))
    check_seen(path.parent)
    try:
        return write_shard(path, samples(generator, indices, kind, size))
    except ShardError as error:
        raise SdkError(str(error)) from error


@functools.lru_cache(maxsize=1)
def _generator(config: SynthConfig) -> Generator:
    cv2.setNumThreads(1)
    try:
        return Generator(config)
    except (FontError, ValueError) as error:
        raise ClusterError(str(error)) from error
