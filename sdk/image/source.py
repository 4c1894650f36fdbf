"""Sources of the bytes of pictures: files, pipes and memory, with a limit of size."""

from __future__ import annotations

import io
import os
import select
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sdk.errors import ImageError

__all__ = ["Source", "open_source"]

# Largest number of bytes that are read into memory: from pipes, from file objects, and from files
# that are decoded from memory. Other files are read during decoding.
MAX_BYTES = 2**28
_CHUNK = 2**20
# Longest wait for data from a pipe, in seconds.
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes of a picture.

    Attributes:
        file: Seekable file of the bytes. The opener of the source closes it.
        name: Name of the source in messages.
        path: Path of the file. None if the bytes do not come from a file.
    """

    file: IO[bytes]
    name: str
    path: str | None = None

    def head(self) -> bytes:
        """Return the first kilobyte."""
        self.file.seek(0)
        return self.file.read(1024)

    def data(self) -> bytes:
        """Return all bytes.

        Raises:
            ImageError: There are too many bytes, or they cannot be read.
        """
        if isinstance(self.file, io.BytesIO):
            return self.file.getvalue()
        self.file.seek(0)
        return _read(self.file, self.name)


def open_source(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes],
) -> Source:
    """Return the source of a path, of bytes, or of a binary file from its current position.

    Raises:
        ImageError: There are no bytes or too many, or they cannot be read.
    """
    if isinstance(source, (str, os.PathLike)):
        return _open_path(os.fsdecode(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _in_memory(bytes(source), "the given bytes")
    name = str(getattr(source, "name", "the given file object"))
    return _in_memory(_read(source, name), name)


def _open_path(name: str) -> Source:
    if name.startswith(("http://", "https://")):
        raise ImageError(f"Cannot open {name}: URLs are not supported. Download the file first.")
    try:
        kind = Path(name).stat().st_mode
        if stat.S_ISDIR(kind):
            raise ImageError(
                f"Cannot open {name}: it is a folder. Pass the image files in it one by one."
            )
        if stat.S_ISFIFO(kind):
            return _open_pipe(name)
        if not stat.S_ISREG(kind):  # opening some devices has effects
            raise ImageError(
                f"Cannot open {name}: it is a device or a socket. Pass a file, or pipe the "
                "picture into standard input."
            )
        file = Path(name).open("rb")  # noqa: SIM115 (the caller closes it)
    except FileNotFoundError as error:
        raise ImageError(
            f"Cannot open {name}: there is no such file{_looked_in()}. Check the path."
        ) from error
    except OSError as error:
        raise ImageError(
            f"Cannot open {name}: {error.strerror or error}. Check the path and its permissions."
        ) from error
    except ValueError as error:  # a NUL in the name
        raise ImageError(f"Cannot open {name!r}: {error}. Check the path.") from error
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise _empty(name)
    return Source(file, name, name)


def _open_pipe(name: str) -> Source:
    handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK)  # without waiting for a writer
    try:
        return _in_memory(_read(_Pipe(handle, name), name), name)
    finally:
        os.close(handle)


class _Pipe:
    """Reads a pipe, with a time limit."""

    def __init__(self, handle: int, name: str) -> None:
        self._handle, self._name = handle, name

    def read(self, size: int) -> bytes:
        if not select.select([self._handle], [], [], PATIENCE_S)[0]:
            raise ImageError(
                f"Cannot read {self._name}: no data came through the pipe for {PATIENCE_S:g} s. "
                "Write the picture into the pipe at the same time, or pass a file."
            )
        return os.read(self._handle, size)


def _looked_in() -> str:
    try:
        return f" (looked in {Path.cwd()})"
    except OSError:
        return " (the working folder does not exist any more)"


def _in_memory(data: bytes, name: str) -> Source:
    if not data:
        raise _empty(name)
    return Source(io.BytesIO(data), name)


def _empty(name: str) -> ImageError:
    return ImageError(f"Cannot decode {name}: it is empty (0 bytes). Pass an image file.")


def _read(file: IO[bytes] | _Pipe, name: str) -> bytes:
    data = bytearray()
    while True:
        try:
            part = file.read(_CHUNK)
        except (OSError, ValueError) as error:
            raise ImageError(
                f"Cannot read {name}: {error}. Pass a file that is open for reading in binary mode."
            ) from error
        if not isinstance(part, bytes):
            raise ImageError(
                f"Cannot read {name}: it gives {type(part).__name__}, not bytes. "
                'Open it in binary mode: open(path, "rb").'
            )
        if not part:
            return bytes(data)
        data += part
        if len(data) > MAX_BYTES:
            raise ImageError(
                f"Cannot read {name}: it has more than {MAX_BYTES / 1e6:.0f} MB. "
                "Pass a picture, scaled down or compressed."
            )
