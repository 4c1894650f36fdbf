"""Notes of the interpreters' native code as details of the log.

The native code writes lines such as "INFO: Created ... delegate" to the file descriptors 1 and 2,
which no Python logger sees. A command turns the capture on; a program that uses the SDK keeps its
descriptors as they are.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

from sdk.terminal import printable

__all__ = ["captured_notes", "native_notes_to_log"]

_log = logging.getLogger("sdk")

# Notes of TFLite and of the GPU's accelerator, with and without a reference to their source.
_NOTE = re.compile(r"INFO: |WARNING: (\[|Logging before)|[IW]\d{4} |└|\s*$")

# The descriptors are those of the whole process: one capture serves all threads.
_capturing = threading.Lock()
_commands = 0


@contextlib.contextmanager
def native_notes_to_log() -> Iterator[None]:
    """Log the notes of native code as details whenever the block's process opens a graph."""
    global _commands
    _commands += 1
    try:
        yield
    finally:
        _commands -= 1


@contextlib.contextmanager
def captured_notes(*, of_accelerator: bool = False) -> Iterator[None]:
    """Log notes that are written during the block, if a command has asked for it.

    All other output during the block goes to standard error at its end.

    Args:
        of_accelerator: Whether notes may come on standard output too, where they would corrupt
            data. It is captured in the main thread only: another one must not take its data.
    """
    if not _commands or not _capturing.acquire(blocking=False):
        yield
        return
    is_main = threading.current_thread() is threading.main_thread()
    descriptors = (1, 2) if of_accelerator and is_main else (2,)
    with contextlib.ExitStack() as stack:
        stack.callback(_capturing.release)
        try:
            # no descriptor is closed, and some folder can be written: a container may be read-only
            saved = {number: _copy(number, stack) for number in descriptors}
            notes = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield
            return
        _flush()
        for number in descriptors:
            os.dup2(notes.fileno(), number)
        try:
            yield
        finally:
            _flush()
            for number, before in saved.items():
                os.dup2(before, number)
            notes.seek(0)
            _tell(notes.read().decode("utf-8", "replace"))


def _copy(descriptor: int, stack: contextlib.ExitStack) -> int:
    copy = os.dup(descriptor)
    stack.callback(os.close, copy)
    return copy


def _tell(text: str) -> None:
    for line in text.splitlines():
        if _NOTE.match(line):
            _log.debug("%s", line)
        else:
            print(printable(line), file=sys.stderr)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)  # output of native code in the buffers of C
