"""Threads that read lines, one for each engine of the line graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sdk.errors import SdkError
from sdk.forking import renew_in_child

__all__ = ["WorkerPool"]

Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkerPool:
    """Applies a function to many things, several at a time."""

    def __init__(self, count: int = 1) -> None:
        """Prepare the threads.

        Args:
            count: How many things at a time, at least 1; a single one is done by the caller's own
                thread.
        """
        self._count = count
        self.renew()
        renew_in_child(self)

    def renew(self) -> None:
        """Take a new pool, which starts its own threads; see `sdk.forking`."""
        count = self._count
        self._pool = ThreadPoolExecutor(count, "fots-lite-line") if count > 1 else None

    def __len__(self) -> int:
        """Return how many things are done at a time."""
        return self._count

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Yield the results in the order of the jobs.

        A single job is done by the caller's own thread: handing it over would only cost time.

        Raises:
            SdkError: The helpers are gone.
        """
        if self._pool is None or len(jobs) < 2:
            return map(function, jobs)
        try:
            return self._pool.map(function, jobs)
        except RuntimeError as error:  # what a pool says once it was shut down
            raise SdkError("The reader is closed. Open a new one.") from error

    def close(self) -> None:
        """End the threads after what they do now."""
        if self._pool is not None:
            self._pool.shutdown()
