"""The log of the command line: one line per message on standard error."""

from __future__ import annotations

import contextlib
import logging
import sys
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
