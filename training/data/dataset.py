"""Training data: parts of shard folders and labeled folders, and prefetched batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sdk.files import open_regular
from training.data.labels import LABELS, is_held_back, read_labeled
from training.data.shards import list_shards, read_encoded
from training.errors import TrainingError

__all__ = ["Part", "draw", "find_parts", "prefetched", "weight_of"]

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Part:
    """A unit of the data: a shard, or one side of the split of a labeled folder.

    Attributes:
        folder: Folder of the data.
        file: File name of a shard in the folder, or of the folder's labels.
        held_back: Whether the part is for validation; the others are for training.
    """

    folder: Path
    file: str
    held_back: bool = False

    @property
    def name(self) -> str:
        """Name of folder and file, unique among the data of a run."""
        return f"{self.folder.name}/{self.file}"

    def samples(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yield (encoded picture, record) of each sample, in order.

        Raises:
            TrainingError: A row of labels is damaged or its picture cannot be read.
            ShardError: The shard is damaged.
        """
        if self.file != LABELS:
            yield from read_encoded(self.folder / self.file)
            return
        for path, record in read_labeled(self.folder):
            if is_held_back(record) == self.held_back:
                try:
                    with open_regular(path) as file:
                        picture = file.read()
                except OSError as error:
                    raise TrainingError(f"Cannot read {path}: {error.strerror}.") from error
                yield picture, record


def find_parts(folders: Sequence[Path], held_back: int) -> tuple[list[Part], list[Part]]:
    """Return the parts to train on and the parts to validate on.

    The first ``held_back`` shards, in the order of the folders, are for validation, so that shards
    written later are added to the training data only. A tenth of each labeled folder is for
    validation.

    Args:
        folders: Folders of shards, and labeled folders.
        held_back: Shards kept for validation.

    Raises:
        TrainingError: Two folders have the same name; or there is no labeled folder and no shard
            besides those held back.
        ShardError: A folder holds neither shards nor labels.
    """
    names = [folder.name for folder in folders]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TrainingError(f"Two folders of data are called {twice[0]!r}. Rename one of them.")
    labeled = [folder for folder in folders if (folder / LABELS).exists()]
    shards = [
        Part(folder, path.name)
        for folder in folders
        if folder not in labeled
        for path in list_shards(folder)
    ]
    if len(shards) <= held_back and not labeled:
        raise TrainingError(
            f"{', '.join(map(str, folders))} holds {len(shards)} shards, of which {held_back} are "
            "held back for validation (data.held_back). Generate more."
        )
    kept = [Part(part.folder, part.file, held_back=True) for part in shards[:held_back]]
    kept += [Part(folder, LABELS, held_back=True) for folder in labeled]
    return [*shards[held_back:], *(Part(folder, LABELS) for folder in labeled)], kept


def weight_of(part: Part, weights: Mapping[str, float]) -> float:
    """Return the frequency of a part's samples, relative to samples of weight 1."""
    return weights.get(part.folder.name, 1.0)


def draw(rng: Any, cumulative: Any, count: int) -> Any:
    """Return indices drawn by weight with replacement, int64 (count,).

    Args:
        rng: Random generator.
        cumulative: float64 (n,), cumulative sums of the weights.
        count: Number of indices.
    """
    return cumulative.searchsorted(rng.random(count) * cumulative[-1], side="right")


def prefetched(
    make: Callable[[int], Batch], start: int, stop: int, workers: int, ahead: int
) -> Generator[Batch, None, None]:
    """Yield make(start) … make(stop - 1) in order, prefetched by threads.

    Threads suffice because OpenCV releases the interpreter lock to decode and to warp.

    Args:
        make: Returns the batch of a step; called from several threads.
        start: First step.
        stop: Step after the last.
        workers: Number of threads.
        ahead: Greatest number of batches that wait.
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
