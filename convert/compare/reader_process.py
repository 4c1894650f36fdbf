"""Readers of bundles and variants in processes of their own.

A reader's process imports only the SDK, so that its peak memory is that of a user's program. Only
one reader works at a time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError

__all__ = ["ReaderProcess", "TimedReading", "running_readers"]


@dataclass(frozen=True)
class TimedReading:
    """A reading with its time and memory.

    Attributes:
        texts: Texts of the lines.
        quads: float32 (n, 4, 2), pixels; None for a line image.
        ms: Time of the reading in ms.
        peak_mib: Peak memory of the reader's process in MiB; NaN if unknown.
    """

    texts: list[str]
    quads: np.ndarray | None
    ms: float
    peak_mib: float


class ReaderProcess:
    """A reader in its own process."""

    def __init__(self, name: str, bundle: Path, variant: str, threads: int | None) -> None:
        """Start the process.

        Args:
            name: Name in tables.
            bundle: Folder of the bundle.
            variant: Variant of the bundle.
            threads: Number of CPU threads; None takes the SDK's default.

        Raises:
            ConvertError: The bundle cannot be used.
        """
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(
            target=_work, args=(other, str(bundle), variant, threads), daemon=True
        )
        self._process.start()
        other.close()
        self._answer()

    def read(self, image: np.ndarray, is_line: bool) -> TimedReading:
        """Return the reading of a picture.

        Args:
            image: uint8 RGB (H, W, 3).
            is_line: Whether the picture is a line image.

        Raises:
            ConvertError: The reader fails or its process dies.
        """
        self._pipe.send((image, is_line))
        return TimedReading(*self._answer())

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _answer(self) -> Any:
        try:
            good, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(5)
            raise ConvertError(
                f"The reader of {self.name} died (exit code {self._process.exitcode})."
            ) from error
        if not good:
            raise ConvertError(f"{self.name}: {answer}")
        return answer


@contextlib.contextmanager
def running_readers(
    entries: Sequence[tuple[str, Path, str]], threads: int | None
) -> Iterator[list[Any]]:
    """Start readers, and end them at the end of the block.

    Args:
        entries: (name, bundle, variant) of each reader.
        threads: Number of CPU threads of each reader.

    Yields:
        The readers in the order of the entries.
    """
    with contextlib.ExitStack() as stack:
        started = []
        for entry in entries:
            reader = ReaderProcess(*entry, threads)
            stack.callback(reader.close)
            started.append(reader)
        yield started


def _work(pipe: Connection, bundle: str, variant: str, threads: int | None) -> None:
    """Read pictures until the pipe is closed, in the child process."""
    from sdk import Reader
    from sdk.errors import SdkError
    from sdk.native_notes import native_notes_to_log

    try:
        with native_notes_to_log():
            reader = Reader(bundle, variant=variant, threads=threads)
    except SdkError as error:
        pipe.send((False, str(error)))
        return
    pipe.send((True, None))
    while True:
        try:
            asked = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((True, _read(reader, *asked)))
        except SdkError as error:
            pipe.send((False, str(error)))


def _read(reader: Any, image: np.ndarray, is_line: bool) -> tuple[list[str], Any, float, float]:
    start = time.perf_counter()
    lines = [reader.read_line(image)] if is_line else list(reader.read(image))
    ms = 1000 * (time.perf_counter() - start)
    quads = None if is_line else np.array([t.quad for t in lines], np.float32).reshape(-1, 4, 2)
    return [t.text for t in lines], quads, ms, _peak_mib()


def _peak_mib() -> float:
    # the kernel's ru_maxrss would include the parent's peak before the start of this program
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
