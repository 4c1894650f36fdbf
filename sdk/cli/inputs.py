"""Turn the arguments of a command into pictures: files, folders, patterns, standard input."""

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
    """One picture to read, or what is wrong with the argument it stands for.

    Attributes:
        name: What to call it in results and messages: the path, or "stdin".
        path: The file; None for standard input or a failure.
        error: Why the argument gives no picture; None if it does.
    """

    name: str
    path: Path | None = None
    error: ImageError | None = None

    def open(self) -> Path | IO[bytes]:
        """Return what `load_image` takes.

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
    """Return the pictures that arguments stand for, in order.

    A folder stands for the picture files directly in it, sorted by name; a pattern that is not
    itself a file for the files it matches; "-" for standard input. An argument that gives nothing
    becomes a `Picture` with an error, so that the others can still be read.

    Raises:
        OptionError: Standard input is named twice.
    """
    if arguments.count("-") > 1:
        raise OptionError("Standard input (-) is given twice. It holds one picture.")
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
            # The shell leaves a pattern alone when it is quoted; Windows always does.
            found = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
            files = sorted(file for file in found if file.is_file())
            reason = "the pattern matches no file"
        else:
            return [Picture(argument, path)]
    except (OSError, ValueError) as error:  # not every version of Python takes "a**.jpg"
        files, reason = [], str(getattr(error, "strerror", None) or error)
    if not files:
        message = f"Cannot read {argument}: {reason}. Check the path."
        return [Picture(argument, error=ImageError(message))]
    return [Picture(str(file), file) for file in files]
