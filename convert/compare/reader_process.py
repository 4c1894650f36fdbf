"""Readers of several bundles or variants that read the same pictures in turn.

Each reader lives in a process of its own, which imports nothing but the SDK, so that its peak
memory is what a user's program would hold; only one of them works at a time.
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

__all__ = ["Contestant", "Read", "entered"]


@dataclass(frozen=True)
class Read:
    """What a reader made of a picture.

    Attributes:
        texts: Of its lines.
        quads: float32 (n, 4, 2), pixels; None for a picture of one line.
        ms: Time it took.
        peak_mib: Most memory that the reader's process has held so far; NaN where it is not known.
    """

    texts: list[str]
    quads: np.ndarray | None
    ms: float
    peak_mib: float


class Contestant:
    """A reader in a process of its own."""

    def __init__(self, name: str, bundle: Path, variant: str, threads: int | None) -> None:
        """Start it.

        Args:
            name: Its name in tables.
            bundle: Folder of the bundle.
            variant: Variant to read with.
            threads: CPU threads; None takes the SDK's default.

        Raises:
            ConvertError: The bundle cannot be read with.
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

    def read(self, image: np.ndarray, is_line: bool) -> Read:
        """Return what it reads in a picture.

        Args:
            image: uint8 RGB (H, W, 3).
            is_line: Whether it is a picture of one line.

        Raises:
            ConvertError: The reader fails or its process dies.
        """
        self._pipe.send((image, is_line))
        return Read(*self._answer())

    def close(self) -> None:
        """End its process."""
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
def entered(entries: Sequence[tuple[str, Path, str]], threads: int | None) -> Iterator[list[Any]]:
    """Give started contestants and end them.

    Args:
        entries: (name, bundle, variant) of each.
        threads: CPU threads of each.

    Yields:
        The contestants in the same order.
    """
    with contextlib.ExitStack() as stack:
        started = []
        for entry in entries:
            contestant = Contestant(*entry, threads)
            stack.callback(contestant.close)
            started.append(contestant)
        yield started


def _work(pipe: Connection, bundle: str, variant: str, threads: int | None) -> None:
    """Read pictures until the pipe is closed; runs in the child."""
    from sdk import Reader
    from sdk.errors import SdkError

    try:
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
    # the kernel's ru_maxrss would hold that of the parent too, from before this program started
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
