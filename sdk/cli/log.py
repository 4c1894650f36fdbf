"""The log of the command line: one line per message on standard error."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from sdk.terminal import printable

logger = logging.getLogger("sdk")


# Notes of TFLite and of the GPU's accelerator, with and without a reference to their source.
_NOTE = re.compile(r"INFO: |WARNING: (\[|Logging before)|[IW]\d{4} |└|\s*$")


# Largest number of characters of a line, because messages of other machines may have any length.
_LONGEST = 2000


class _OneLine(logging.Formatter):
    """Formats a message as "fots-lite: level: text" without line breaks and control characters."""

    def format(self, record: logging.LogRecord) -> str:
        text = printable(" ".join(record.getMessage().split()))
        if len(text) > _LONGEST:
            text = text[:_LONGEST] + " ..."
        return f"fots-lite: {record.levelname.lower()}: {text}"


@contextlib.contextmanager
def log_to_stderr(*, quiet: bool, verbose: bool) -> Iterator[None]:
    """Show the SDK's log on standard error while the block runs.

    Args:
        quiet: Whether to show errors only.
        verbose: Whether to show details too. `quiet` has precedence.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    before = logger.level
    level = logging.DEBUG if verbose else logging.WARNING
    logger.setLevel(logging.ERROR if quiet else level)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextlib.contextmanager
def native_notes_to_log() -> Iterator[None]:
    """Log the notes of the interpreter's native code during the block, as details.

    The native code writes lines such as "INFO: Created ... delegate" to the file descriptors 1 and
    2, which no Python logger sees. On standard output these lines would corrupt the data. All other
    output during the block goes to standard error.
    """
    try:
        saved = [os.dup(number) for number in (1, 2)]
    except OSError:  # one of the descriptors is closed
        yield
        return
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115 (closed below)
    except OSError:  # no folder can be written, as in a container that is read-only
        for descriptor in saved:
            os.close(descriptor)
        yield
        return
    with file as notes:
        _flush()
        for number in (1, 2):
            os.dup2(notes.fileno(), number)
        try:
            yield
        finally:
            _flush()
            for number, descriptor in zip((1, 2), saved, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)
            notes.seek(0)
            for line in notes.read().decode("utf-8", "replace").splitlines():
                if _NOTE.match(line):
                    logger.debug("%s", line)
                else:
                    print(printable(line), file=sys.stderr)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)  # output of native code in the buffers of C
