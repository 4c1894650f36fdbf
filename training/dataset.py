"""Shard folders as training data: which shards train, which validate, and batches made ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from training.errors import TrainingError
from training.shards import list_shards

__all__ = ["prefetched", "split_shards"]

Batch = TypeVar("Batch")


def split_shards(folder: Path | str, held_back: int) -> tuple[list[Path], list[Path]]:
    """Return the shards to train on and the shards to validate on.

    The first shards are held back, so that shards written later only add to the training.

    Raises:
        TrainingError: Fewer shards than are held back and one more.
        ShardError: No shard at all.
    """
    shards = list_shards(folder)
    if len(shards) <= held_back:
        raise TrainingError(
            f"{folder} holds {len(shards)} shards, of which {held_back} are held back for "
            "validation (data.held_back). Generate more."
        )
    return shards[held_back:], shards[:held_back]


def prefetched(
    make: Callable[[int], Batch], start: int, stop: int, workers: int, ahead: int
) -> Generator[Batch, None, None]:
    """Yield make(start) … make(stop - 1) in order, made ahead by threads.

    Threads suffice: decoding and warping in OpenCV leave the interpreter lock.

    Args:
        make: Makes the batch of a step; called from several threads.
        start: First step.
        stop: Step to stop before.
        workers: Threads.
        ahead: Most batches waiting.
    """
    with ThreadPoolExecutor(max(1, workers), thread_name_prefix="batch") as pool:
        waiting: deque[Future[Any]] = deque()
        step = start
        try:
            while step < stop or waiting:
                while step < stop and len(waiting) < max(1, ahead):
                    waiting.append(pool.submit(make, step))
                    step += 1
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
