"""Worker processes and the bounded queue before them.

Everything but the waiting for a worker happens in the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sdk.errors import SdkError
from sdk.serve.job import Answer, Job
from sdk.serve.problem import Problem
from sdk.serve.worker import OpenReader, Worker, WorkerEnded

__all__ = ["Pool", "Seat"]

logger = logging.getLogger("sdk.serve")

# Waits before a worker that does not start is tried again, in seconds.
_LONGEST_WAIT_S = 30.0
# Opening a model on the slowest board, from the slowest card.
_START_S = 180.0


@dataclass
class _Waiting:
    """A job that waits or is being read.

    Attributes:
        job: It; None when nobody wants its answer any more, so that its picture is freed.
        answer: Where the answer goes.
        since: When it came.
        begun: When a worker was given it.
        taken: Whether it has left the queue.
    """

    job: Job | None
    answer: asyncio.Future[Answer]
    since: float
    begun: float | None = None
    taken: bool = False


@dataclass
class Seat:
    """A place for one worker.

    Attributes:
        number: Its number, from 0.
        worker: The process, once its reader is open.
        busy: Whether it reads at this moment.
        starts: How often a process was started here.
    """

    number: int
    worker: Worker | None = None
    busy: bool = False
    starts: int = 0
    starting: Worker | None = field(default=None, repr=False)


class Pool:
    """Reads jobs in worker processes, in the order they came.

    Attributes:
        seats: The places of the workers.
        queue_limit: Most jobs that wait.
        waiting: How many jobs wait.
        about: What the readers tell of themselves, see `Reader.describe`.
    """

    def __init__(
        self, open_reader: OpenReader, *, workers: int, queue: int, timeout_s: float
    ) -> None:
        """Prepare the reading.

        Args:
            open_reader: Opens the reader of a worker.
            workers: How many processes.
            queue: Most jobs that wait for one.
            timeout_s: How long a job may wait, and then be read, in seconds.
        """
        self.seats = [Seat(number) for number in range(workers)]
        self.queue_limit = queue
        self.waiting = 0
        self.about: dict[str, Any] = {}
        self._open_reader = open_reader
        self._timeout_s = timeout_s
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._threads = ThreadPoolExecutor(workers, "fots-lite-worker")
        self._tasks: list[asyncio.Task[None]] = []
        self._started: asyncio.Future[None] | None = None
        self._read_s = 0.5  # smoothed time of a reading, for Retry-After

    async def start(self) -> None:
        """Start the workers, and wait for the first of them.

        Raises:
            SdkError: A reader cannot be opened.
        """
        self._started = asyncio.get_running_loop().create_future()
        self._tasks = [asyncio.create_task(self._run(seat)) for seat in self.seats]
        await self._started

    async def close(self) -> None:
        """End the workers; what is still being read gets no answer."""
        for task in self._tasks:
            task.cancel()
        for seat in self.seats:
            for worker in (seat.worker, seat.starting):
                if worker is not None and (seat.busy or worker is seat.starting):
                    worker.kill()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown()

    @property
    def ready(self) -> bool:
        """Whether a worker has an open reader."""
        return any(seat.worker is not None for seat in self.seats)

    def check_room(self) -> None:
        """Raise a Problem with status 503 if no further job can wait."""
        idle = sum(seat.worker is not None and not seat.busy for seat in self.seats)
        if self.waiting >= self.queue_limit + idle:
            raise self._full()

    async def ask(self, job: Job) -> tuple[Answer, float, float]:
        """Return the answer to a job, with the seconds that it waited and was read.

        Cancelling takes a job that waits out of the queue.

        Raises:
            Problem: The queue is full, no worker became free in time (503), the worker ended (502),
                or reading took too long (504).
        """
        self.check_room()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(job, loop.create_future(), time.perf_counter())
        self._queue.put_nowait(waiting)
        self.waiting += 1
        late = loop.call_later(self._timeout_s, self._give_up, waiting)
        try:
            answer = await waiting.answer
        finally:
            late.cancel()
            waiting.answer.cancel()  # tells the workers, if this was cancelled
            self._take(waiting)
            waiting.job = None
        begun = waiting.begun or waiting.since
        return answer, begun - waiting.since, time.perf_counter() - begun

    def _take(self, waiting: _Waiting) -> None:
        """Count a job out of the queue, once."""
        self.waiting -= not waiting.taken
        waiting.taken = True

    def _give_up(self, waiting: _Waiting) -> None:
        if waiting.begun is None and not waiting.answer.done():
            waiting.answer.set_exception(self._full())

    def _full(self) -> Problem:
        ahead = (self.waiting + 1) * self._read_s / len(self.seats)
        seconds = min(60, max(1, math.ceil(ahead)))
        return Problem(
            503,
            "busy",
            f"The service is busy: {self.waiting} requests wait. "
            f"Send the request again in {seconds} s.",
            {"Retry-After": str(seconds)},
        )

    async def _run(self, seat: Seat) -> None:
        """Keep a worker at a seat, and give it one job after the other."""
        held: _Waiting | None = None
        try:
            while True:
                worker = await self._open(seat)
                held = await self._serve(seat, worker, held)
                logger.error(
                    "worker ended, another one is started",
                    extra={"values": {"worker": seat.number, "pid": worker.pid}},
                )
                seat.worker = None
                await self._in_thread(worker.close)
        finally:
            if seat.worker is not None:
                # in the loop's thread: the pool's may all be busy, and nothing else runs any more
                seat.worker.close()
                seat.worker = None

    async def _open(self, seat: Seat) -> Worker:
        """Return a worker whose reader is open, however often that takes."""
        wait_s = 1.0
        while True:
            try:
                worker = await self._try_open(seat)
            except (SdkError, WorkerEnded, OSError) as error:
                text = "its process ended" if isinstance(error, WorkerEnded) else str(error)
                if self._started is not None and not self._started.done():
                    self._started.set_exception(
                        error if isinstance(error, SdkError) else SdkError(f"No worker: {text}.")
                    )
                    self._started.exception()  # retrieved, if nobody waits any more
                else:
                    logger.error("Worker %d cannot start: %s", seat.number, text)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                continue
            seat.worker, self.about = worker, worker.about
            logger.info(
                "worker ready", extra={"values": {"worker": seat.number, "pid": worker.pid}}
            )
            if self._started is not None and not self._started.done():
                self._started.set_result(None)
            return worker

    async def _try_open(self, seat: Seat) -> Worker:
        seat.starts += 1
        worker: Worker = await self._in_thread(Worker, self._open_reader)
        seat.starting = worker
        late = asyncio.get_running_loop().call_later(_START_S, worker.kill)
        try:
            await self._in_thread(worker.wait_ready)
        except BaseException:
            worker.kill()
            worker.close()
            raise
        finally:
            late.cancel()
            seat.starting = None
        return worker

    async def _serve(self, seat: Seat, worker: Worker, held: _Waiting | None) -> _Waiting | None:
        """Give a worker jobs until it ends; return one that it had not begun.

        Args:
            seat: Where it works.
            worker: Who works.
            held: The first job, if there is one.
        """
        with _watched(worker.sentinel) as gone:
            while True:
                waiting = held or await self._next(gone)
                held = None
                if waiting is None:
                    return None
                if waiting.job is None or waiting.answer.done():  # gone, or waited too long
                    continue
                self._take(waiting)
                try:
                    await self._read(seat, worker, waiting, waiting.job)
                except WorkerEnded as end:
                    if not end.begun:
                        waiting.begun = None
                        return waiting
                    return None

    async def _next(self, gone: asyncio.Event) -> _Waiting | None:
        """Return the next job, or None if the worker has ended."""
        job = asyncio.ensure_future(self._queue.get())
        end = asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait((job, end), return_when=asyncio.FIRST_COMPLETED)
            return job.result() if job.done() else None
        finally:
            job.cancel()
            end.cancel()

    async def _read(self, seat: Seat, worker: Worker, waiting: _Waiting, job: Job) -> None:
        """Let a worker read a job, and pass its answer or its problem on.

        Raises:
            WorkerEnded: The worker ended meanwhile.
        """
        waiting.begun = time.perf_counter()
        expired: list[bool] = []

        def expire() -> None:
            expired.append(True)
            worker.kill()

        late = asyncio.get_running_loop().call_later(self._timeout_s, expire)
        seat.busy = True
        try:
            answer = await self._in_thread(worker.ask, job)
        except WorkerEnded as end:
            if end.begun and not waiting.answer.done():
                waiting.answer.set_exception(self._too_slow() if expired else _lost())
            raise
        finally:
            seat.busy = False
            late.cancel()
        self._read_s += 0.1 * (time.perf_counter() - waiting.begun - self._read_s)
        if not waiting.answer.done():
            waiting.answer.set_result(answer)

    def _too_slow(self) -> Problem:
        return Problem(
            504,
            "too_slow",
            f"Reading took longer than {self._timeout_s:g} s and was ended. "
            "Scale the picture down, send a part of it, or ask for a simpler pattern.",
        )

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)


def _lost() -> Problem:
    return Problem(
        502,
        "worker_lost",
        "The process that read this picture ended. Send the request again; if that happens with "
        "this picture each time, report it.",
    )


@contextlib.contextmanager
def _watched(sentinel: int) -> Iterator[asyncio.Event]:
    """Yield an event that is set when a file descriptor becomes readable."""
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()

    def on_end() -> None:
        loop.remove_reader(sentinel)
        gone.set()

    loop.add_reader(sentinel, on_end)
    try:
        yield gone
    finally:
        loop.remove_reader(sentinel)
