"""A process that reads: one `Reader`, one request at a time, over a pipe.

A worker ends when its pipe does. Signals that end the service do not end it: what it has begun, the
service waits for.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.native_notes import native_notes_to_log
from sdk.serve.job import Answer, Job
from sdk.serve.log import log_as_json, logger

if TYPE_CHECKING:
    from sdk.reader import Reader

__all__ = ["OpenReader", "Worker", "WorkerEnded"]

OpenReader = Callable[[], "Reader"]
"""Opens a reader, checks that it reads, and can be pickled."""

# Errors of opening that the service passes on as they are.
_KINDS: dict[str, type[SdkError]] = {
    kind.__name__: kind for kind in (SdkError, ModelError, DeviceError, OptionError)
}
# How long a worker may take to end by itself, in seconds.
_END_S = 5.0


class WorkerEnded(Exception):  # noqa: N818 (an end, whoever brought it about)
    """A worker's process is gone.

    Attributes:
        begun: Whether it may have begun with the job that it was sent.
    """

    def __init__(self, *, begun: bool) -> None:
        """Keep the value."""
        super().__init__(begun)
        self.begun = begun


class Worker:
    """The service's end of a worker process; its methods block, and are called in threads.

    Attributes:
        about: What the reader tells of itself, see `Reader.describe`.
        pid: The number of the process.
        sentinel: A file descriptor that becomes readable when the process ends.
    """

    def __init__(self, open_reader: OpenReader) -> None:
        """Start the process, which begins to open its reader."""
        # spawned: this process has threads, and a fork would copy their locks
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, open_reader, logger.level), name="fots-lite-worker"
        )
        self._process.start()
        theirs.close()
        self._killed = False
        self.about: dict[str, Any] = {}
        self.pid = self._process.pid or 0
        self.sentinel = self._process.sentinel

    def wait_ready(self) -> None:
        """Wait until the reader is open and has read its test picture.

        Raises:
            SdkError: It cannot be opened.
            WorkerEnded: The process ended before.
        """
        message = self._receive()
        if isinstance(message, tuple):
            kind, text = message
            raise _KINDS.get(kind, SdkError)(text)
        self.about = message

    def ask(self, job: Job) -> Answer:
        """Return the answer to a job.

        Raises:
            WorkerEnded: The process ended before it answered.
        """
        try:
            self._pipe.send(job)
        except OSError as error:
            raise WorkerEnded(begun=False) from error
        answer = self._receive()
        if not isinstance(answer, Answer) or answer.id != job.id:
            # never seen; a wrong pairing of pictures and texts would be worse than a lost one
            self.kill()
            raise WorkerEnded(begun=True)
        return answer

    def kill(self) -> None:
        """End the process at once; whoever waits for its answer gets `WorkerEnded`."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """End the process when it has nothing to do, and free what it held."""
        if not self._killed:  # else a thread may still be at the pipe
            self._pipe.close()
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._pipe.close()
        self._process.close()

    def _receive(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise WorkerEnded(begun=True) from error


def _work(pipe: Connection[Any, Any], open_reader: OpenReader, level: int) -> None:
    """Read until the pipe ends; the first message tells whether that is possible."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with log_as_json(level, everything=True), native_notes_to_log():
        _read_all(pipe, open_reader)


def _read_all(pipe: Connection[Any, Any], open_reader: OpenReader) -> None:
    from sdk.serve.answer import answer

    try:
        reader = open_reader()
    except SdkError as error:
        pipe.send((type(error).__name__, str(error)))
        return
    with reader:
        pipe.send(reader.describe())
        while True:
            try:
                job = pipe.recv()
            except EOFError:
                return
            pipe.send(answer(reader, job))
            del job  # a photo's bytes need not stay until the next one
