"""Write files completely or not at all. Read regular files only."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sdk.errors import SdkError


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a file for reading. Pipes and devices are refused, because they may never end.

    Raises:
        OSError: The file is missing, cannot be read, or is not a regular file.
    """
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return Path(path).open("rb")


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file. After a failure the file still has its old content.

    Args:
        path: Path of the file. Its folder must exist.
        data: The new content.

    Raises:
        SdkError: The folder is missing or not writable, or the disk is full.
    """
    with open_atomically(path) as file:
        file.write(data)


@contextlib.contextmanager
def open_atomically(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file for writing. The new content replaces the old content at the end of the block.

    The bytes go to a temporary file in the same folder, which is then renamed. A full disk, another
    failure or an interruption leaves the old content unchanged. After the block the new content
    survives a loss of power.

    Args:
        path: Path of the file. Its folder must exist.

    Yields:
        The open file.

    Raises:
        SdkError: The folder is missing or not writable, or the disk is full.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        # mode "x" follows the user's umask and never overwrites an existing file
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as error:
        raise SdkError(
            f"Cannot write {target}: {error.strerror or error}. "
            "Check that the folder exists, is writable and has space."
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Write the new name to the disk. Windows cannot do so, because it opens no folders."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
