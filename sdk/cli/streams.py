"""Replacements for standard streams that are closed when the command starts."""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = ["replace_closed_streams"]


class _ClosedOutput(io.TextIOBase):
    """Raises OSError for every write."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "standard output is closed")


def replace_closed_streams() -> None:
    """Make writes to a closed standard output fail, and drop the log of a closed standard error.

    The file descriptors of closed streams are occupied. Otherwise a file that is opened later would
    get such a descriptor, and the output of native code.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:  # the system gives the lowest free number
        pass
    os.close(number)
    # Python sets a stream to None if it was closed at the start
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
