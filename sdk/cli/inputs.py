"""From the arguments of a command to pictures: files, folders, patterns, standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sdk.errors import ImageError, OptionError
from sdk.image.files import list_pictures

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to read, or the error of an argument.

    Attributes:
        name: Name in results and messages: the path, or "stdin".
        path: Path of the file. None for standard input or an error.
        error: Why the argument gives no picture. None without an error.
    """

    name: str
    path: Path | None = None
    error: ImageError | None = None

    def open(self) -> Path | IO[bytes]:
        """Return a source for `load_image`.

        Raises:
            ImageError: The argument gives no picture, or standard input is closed.
        """
        if self.error is not None:
            raise self.error
        if self.path is not None:
            return self.path
        if sys.stdin is None:
            raise ImageError("Cannot read standard input: it is closed. Pipe a picture in.")
        return sys.stdin.buffer


def find_pictures(arguments: Sequence[str]) -> list[Picture]:
    """Return the pictures of arguments, in order.

    A folder gives the picture files directly in it, sorted by name. A pattern that is not itself a
    file gives the files that match. "-" gives standard input. An argument without pictures becomes
    a `Picture` with an error, so that the other arguments can still be read.

    Raises:
        OptionError: Standard input is given twice.
    """
    if arguments.count("-") > 1:
        raise OptionError("Standard input (-) is given twice, but holds one picture. Give it once.")
    return [picture for argument in arguments for picture in _expand(argument)]


def _expand(argument: str) -> list[Picture]:
    if argument == "-":
        return [Picture("stdin")]
    path = Path(argument)
    try:
        if path.is_dir():
            files = [Path(entry.path) for entry in list_pictures(path)]
            reason = "the folder holds no picture files"
        elif _WILDCARDS & set(argument) and not path.exists():
            # the shell does not expand a quoted pattern, and Windows expands none
            found = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
            files = sorted(file for file in found if file.is_file())
            reason = "the pattern matches no file"
        else:
            return [Picture(argument, path)]
    except (OSError, ValueError) as error:  # some versions of Python refuse "a**.jpg"
        files, reason = [], str(getattr(error, "strerror", None) or error)
    if not files:
        message = f"Cannot read {argument}: {reason}. Check the path."
        return [Picture(argument, error=ImageError(message))]
    return [Picture(str(file), file) for file in files]
