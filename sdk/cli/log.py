"""The log of the command line: one line per message on standard error."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

from sdk.terminal import printable

logger = logging.getLogger("sdk")


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
