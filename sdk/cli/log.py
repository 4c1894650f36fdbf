"""The log of the command line: one line per message on standard error."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

logger = logging.getLogger("sdk")


class _OneLine(logging.Formatter):
    """Formats a message as "fots-lite: level: text" without line breaks."""

    def format(self, record: logging.LogRecord) -> str:
        text = " ".join(record.getMessage().split())
        return f"fots-lite: {record.levelname.lower()}: {text}"


@contextlib.contextmanager
def log_to_stderr(*, quiet: bool, verbose: bool) -> Iterator[None]:
    """Show the SDK's log on standard error while the block runs.

    Args:
        quiet: Whether only errors are shown.
        verbose: Whether details are shown too; `quiet` wins.
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
    """Log what the interpreter's own code notes while the block runs, as details.

    It writes lines such as "INFO: Created ... delegate" to file descriptor 2 of the process, which
    no Python logger sees. Everything else that arrives there meanwhile is passed on.
    """
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as notes:
        sys.stderr.flush()
        os.dup2(notes.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            notes.seek(0)
            for line in notes.read().decode("utf-8", "replace").splitlines():
                if line.startswith("INFO: "):
                    logger.debug("%s", line)
                else:
                    print(line, file=sys.stderr)
