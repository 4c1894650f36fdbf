"""Write files wholly or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from sdk.errors import SdkError


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that it has either its old content or all of the new.

    The bytes go to a temporary file in the same folder, which then takes the name; a full disk or
    an interruption leaves what was there before.

    Args:
        path: Where to write; its folder must exist.
        data: The whole content.

    Raises:
        SdkError: The folder is missing or not writable, or the disk is full.
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        # "x" follows the user's umask and never writes over another's file.
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        temporary = None
    except OSError as error:
        raise SdkError(
            f"Cannot write {target}: {error.strerror or error}. "
            "Check that the folder exists, is writable and has space."
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
