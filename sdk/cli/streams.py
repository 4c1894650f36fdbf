"""The standard streams, also where whoever started the command has closed them."""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = ["replace_closed_streams"]


class _ClosedOutput(io.TextIOBase):
    """Refuses what is written."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "standard output is closed")


def replace_closed_streams() -> None:
    """Let output that is closed fail when it is written to, and drop what is to be logged.

    The numbers of closed streams are taken too: files that are opened later would get them, and
    what native code prints.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:  # the lowest free number is given
        pass
    os.close(number)
    # Python has found them closed when it started
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
