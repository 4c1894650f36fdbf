"""A pool of threads that read lines, one thread for each engine of the line graph."""

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
    """Applies a function to many jobs, several at the same time."""

    def __init__(self, count: int = 1) -> None:
        """Prepare the threads.

        Args:
            count: Number of jobs at the same time, at least 1. With 1 the caller's own thread does
                all jobs.
        """
        self._count = count
        self.renew()
        renew_in_child(self)

    def renew(self) -> None:
        """Replace the threads in a forked child, see `sdk.forking`."""
        count = self._count
        self._pool = ThreadPoolExecutor(count, "fots-lite-line") if count > 1 else None

    def __len__(self) -> int:
        """Return the number of jobs that are done at the same time."""
        return self._count

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Yield the results in the order of the jobs.

        The caller's own thread does a single job, because a handover would only cost time.

        Raises:
            SdkError: The pool is closed.
        """
        if self._pool is None or len(jobs) < 2:
            return map(function, jobs)
        try:
            return self._pool.map(function, jobs)
        except RuntimeError as error:  # a ThreadPoolExecutor raises it after its shutdown
            raise SdkError("The reader is closed. Open a new reader.") from error

    def close(self) -> None:
        """End the threads after their current jobs."""
        if self._pool is not None:
            self._pool.shutdown()
