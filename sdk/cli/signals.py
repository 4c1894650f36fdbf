"""Signals for commands that run until they are stopped."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import threading
from collections.abc import Iterator

__all__ = ["end_in_time", "stopped_by_signals"]

# A station waits up to 30 s for its thread and 5 s for its outputs.
END_S = 45.0


@contextlib.contextmanager
def end_in_time() -> Iterator[None]:
    """End the process if the block has not ended `END_S` after `stopped_by_signals` was stopped.

    A driver, a terminal or native code that blocks all threads may hang. The stack of every thread
    is then written to standard error, and the exit code is 1.
    """
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set, so that the current work can be finished.

    A second SIGINT interrupts at once. `end_in_time` ends work that does not finish.
    """
    stop = threading.Event()

    def on_signal(number: int, _: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not stop.is_set():
            # by its number, because standard error may be closed or replaced
            faulthandler.dump_traceback_later(END_S, exit=True, file=2)
        stop.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
