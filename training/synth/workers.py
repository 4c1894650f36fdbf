"""Writing of shards in several processes, which end with their parent process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.data.shards import ShardError, remove_unfinished, write_shard
from training.interruption import interrupted_by_sigterm
from training.synth.generator import Generator

__all__ = ["Job", "samples", "write_shards"]

Job = tuple[Path, range]
"""Path of a shard and the indices of its samples."""

_generator: Generator | None = None
_stop: Any = None
_made: Any = None

_TELL_SECONDS = 0.5


def write_shards(
    jobs: Sequence[Job],
    generator: Generator,
    kind: str,
    size: tuple[int, int],
    workers: int,
    tell: Callable[[int], None],
) -> None:
    """Write shards; an early end stops all processes and leaves complete shards only.

    Args:
        jobs: Shards to write.
        generator: The generator, which each process gets: fonts are examined once, which takes
            a minute for thousands.
        kind: "photo" or "line".
        size: (width, height) of photos in pixels.
        workers: Number of processes.
        tell: Called about twice a second with the number of samples made, and at the end.

    Raises:
        ShardError: A shard cannot be written, or a process was killed.
        KeyboardInterrupt: By SIGINT or SIGTERM.
    """
    paths = [path for path, _ in jobs]
    remove_unfinished(paths)  # of a killed run
    # spawned, not forked: OpenCV's threads do not survive a fork, and child processes would hang
    spawn = multiprocessing.get_context("spawn")
    # without locks, which a killed process would keep; each job counts in a place of its own
    stop, made = spawn.RawValue("b", False), spawn.RawArray("i", len(jobs))
    try:
        with (
            interrupted_by_sigterm(),
            ProcessPoolExecutor(
                workers, mp_context=spawn, initializer=_start, initargs=(generator, stop, made)
            ) as pool,
        ):
            try:
                left = {
                    pool.submit(_write, number, path, indices, kind, size)
                    for number, (path, indices) in enumerate(jobs)
                }
                while left:
                    done, left = wait(left, timeout=_TELL_SECONDS, return_when=FIRST_COMPLETED)
                    for job in done:
                        job.result()
                    tell(sum(made))
            finally:
                # workers end at their next sample, not minutes later with their shards; the pool
                # waits for all of them: a living one may begin a file after the removal below
                stop.value = True
                pool.shutdown(cancel_futures=True)
    except BrokenProcessPool as error:
        raise ShardError(
            "A process that writes shards was killed; the memory may be too small for "
            f"{workers} processes. Complete shards are kept: run the same command again, with a "
            "smaller --workers."
        ) from error
    finally:
        remove_unfinished(paths)


def _start(generator: Generator, stop: Any, made: Any) -> None:
    global _generator, _stop, _made
    # the terminal sends SIGINT to all processes of the command; the parent ends the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _generator, _stop, _made = generator, stop, made


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _write(job: int, path: Path, indices: Iterable[int], kind: str, size: tuple[int, int]) -> int:
    assert _generator is not None

    def checked() -> Iterator[int]:
        for index in indices:
            if _stop.value:
                raise ShardError(f"{path} is not written: the command has ended.")
            yield index
            _made[job] += 1

    return write_shard(path, samples(_generator, checked(), kind, size))


def samples(
    generator: Generator, indices: Iterable[int], kind: str, size: tuple[int, int]
) -> Iterator[tuple[int, np.ndarray, dict[str, Any]]]:
    """Yield (index, picture, record) of generated samples, for `write_shard`.

    Args:
        generator: The generator.
        indices: Numbers of the samples.
        kind: "photo" or "line".
        size: (width, height) of photos in pixels.
    """
    for index in indices:
        if kind == "line":
            image, text = generator.line(index)
            yield index, image, {"text": text}
        else:
            photo = generator.photo(index, size)
            yield index, photo.image, photo.record()
