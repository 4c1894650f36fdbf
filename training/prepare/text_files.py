"""Lines of a text file of labels, decoded with clear errors."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from sdk.files import open_regular
from training.errors import TrainingError

__all__ = ["text_lines"]

_LONGEST = 1 << 20
"""Bytes of the longest line; a longer line is no row of labels."""

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a file with their ends, one in memory at a time.

    Args:
        path: The file.
        encoding: Encoding of the file; a byte order mark of UTF-8 is dropped.

    Raises:
        TrainingError: The file cannot be read, is not in this encoding, or has a line of more than
            a megabyte.
    """
    name = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    try:
        decoder = codecs.getincrementaldecoder(name)()
    except LookupError as error:
        raise TrainingError(f"--encoding {encoding}: Python knows no such encoding.") from error
    try:
        with open_regular(path) as file:
            if file.read(2) in _UTF16_MARKS and name == "utf-8-sig":
                raise TrainingError(f"{path} is in UTF-16, not in UTF-8. Give --encoding utf-16.")
            file.seek(0)
            if "16" in name or "32" in name:
                yield from _wide_lines(path, name)
                return
            number = 0
            while line := file.readline(_LONGEST):
                number += 1
                if len(line) == _LONGEST and not line.endswith(b"\n"):
                    raise TrainingError(
                        f"{path}, line {number} is longer than a megabyte: this is no file of "
                        "labels."
                    )
                yield decoder.decode(line)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise TrainingError(
            f"{path}, line {number} is not in {encoding}: it holds the byte "
            f"0x{error.object[error.start]:02x}. Give the file's --encoding, such as latin-1, "
            "cp1252 or shift_jis."
        ) from error
    except OSError as error:
        raise TrainingError(f"Cannot read {path}: {error.strerror or error}.") from error


def _wide_lines(path: Path, name: str) -> Iterator[str]:
    """Yield the lines of a file whose line ends are more than one byte."""
    try:
        with path.open(encoding=name, newline="") as file:
            yield from file
    except UnicodeError as error:
        raise TrainingError(f"{path} is not in {name}: {error}. Give its --encoding.") from error
