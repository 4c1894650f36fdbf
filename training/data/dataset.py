"""Training data: parts of shard folders and labeled folders, and prefetched batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sdk.files import open_regular
from training.data.labels import LABELS, read_labeled, split_of
from training.data.shards import list_shards, read_encoded
from training.errors import TrainingError

__all__ = ["Part", "check_weights", "draw", "find_parts", "prefetched", "weight_of"]

Batch = TypeVar("Batch")

_HELD_BACK = 10
"""One of this number of samples of a divided shard is for validation."""


@dataclass(frozen=True)
class Part:
    """A unit of the data: a shard, or one side of the split of a labeled folder.

    Attributes:
        folder: Folder of the data.
        file: File name of a shard in the folder, or of the folder's labels.
        held_back: Whether the part is for validation; the others are for training.
        divided: Whether the part is one side of a shard of which every tenth sample is held back.
    """

    folder: Path
    file: str
    held_back: bool = False
    divided: bool = False

    @property
    def place(self) -> str:
        """Name of folder and file, unique among the data of a run."""
        return f"{self.folder.name}/{self.file}"

    @property
    def name(self) -> str:
        """Name in the record of a run: folder and file, and whether the file is divided."""
        return f"{self.place} (divided)" if self.divided else self.place

    def samples(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yield (encoded picture, record) of each sample, in order.

        Raises:
            TrainingError: A row of labels is damaged or its picture cannot be read.
            ShardError: The shard is damaged.
        """
        if self.file != LABELS:
            for number, sample in enumerate(read_encoded(self.folder / self.file)):
                if not self.divided or (number % _HELD_BACK == 0) == self.held_back:
                    yield sample
            return
        side = "validation" if self.held_back else "train"
        for path, record in read_labeled(self.folder):
            if split_of(record) == side:
                try:
                    with open_regular(path) as file:
                        picture = file.read()
                except OSError as error:
                    raise TrainingError(f"Cannot read {path}: {error.strerror}.") from error
                yield picture, record


def find_parts(folders: Sequence[Path], held_back: int) -> tuple[list[Part], list[Part]]:
    """Return the parts to train on and the parts to validate on.

    The first ``held_back`` shards, in the order of the folders, are for validation, so that shards
    written later are added to the training data only. If there are no more shards than that, every
    tenth sample of each is for validation. In a labeled folder, the rows decide, see
    `training.data.labels.split_of`.

    Args:
        folders: Folders of shards, and labeled folders.
        held_back: Shards kept for validation.

    Raises:
        TrainingError: Two folders have the same name.
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
        divided = [replace(part, divided=True) for part in shards]
        return divided, [replace(part, held_back=True) for part in divided]
    kept = [replace(part, held_back=True) for part in shards[:held_back]]
    kept += [Part(folder, LABELS, held_back=True) for folder in labeled]
    return [*shards[held_back:], *(Part(folder, LABELS) for folder in labeled)], kept


def check_weights(weights: Mapping[str, float], folders: Sequence[Path], fault: str) -> None:
    """Refuse weights of folders that are not among the data.

    Args:
        weights: Weights by the name of a folder.
        folders: Folders of the data.
        fault: What is wrong, for the message; "{}" stands for the name.

    Raises:
        TrainingError: No folder has a name of the weights.
    """
    names = [folder.name for folder in folders]
    unknown = sorted({*weights} - {*names})
    if unknown:
        raise TrainingError(f"{fault.format(unknown[0])}. The folders are {', '.join(names)}.")


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
