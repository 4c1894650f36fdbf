"""Progress of a long command on standard error: a line in a terminal, rows in a log."""

from __future__ import annotations

import sys
import time
from typing import TextIO

__all__ = ["Progress"]

_TERMINAL_SECONDS = 0.5
_LOG_SECONDS = 20.0


class Progress:
    """Tells how many of a number of things are done, at what rate, and how long the rest takes.

    In a terminal, one line is written over; elsewhere a row is written every 20 seconds.
    """

    def __init__(self, command: str, what: str, total: int, stream: TextIO | None = None) -> None:
        """Start the clock.

        Args:
            command: Name of the command, the start of each row.
            what: Name of the things that are counted.
            total: Number of all things.
            stream: Where to write; None for standard error.
        """
        self._command, self._what, self._total = command, what, total
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._began = self._told = time.monotonic()
        self._done = self._first = 0

    def start_at(self, done: int) -> None:
        """Count things of an earlier call as done; they do not enter the rate."""
        self._done = self._first = done

    def advance(self, count: int = 1) -> None:
        """Count further things, and tell if it is time."""
        self.reach(self._done + count)

    def reach(self, done: int) -> None:
        """Set the number of things done, and tell if it is time."""
        self._done = done
        now = time.monotonic()
        wait = _TERMINAL_SECONDS if self._terminal else _LOG_SECONDS
        if now - self._told >= wait:
            self._told = now
            self._write(end="\r" if self._terminal else "\n")

    def finish(self) -> None:
        """Tell the final count."""
        self._write(end="\n")

    def _write(self, end: str) -> None:
        seconds = max(time.monotonic() - self._began, 1e-6)
        rate = (self._done - self._first) / seconds
        left = (self._total - self._done) / rate if rate else 0.0
        share = 100 * self._done / self._total if self._total else 100
        time_left = f", {_duration(left)} left" if self._done < self._total and rate else ""
        text = (
            f"{self._command}: {self._done:,} of {self._total:,} {self._what}, {share:.0f} %, "
            f"{rate:,.0f}/s{time_left}"
        )
        print(text.ljust(78) if self._terminal else text, end=end, file=self._stream, flush=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
