"""Atomic replacement of folders.

A folder is built beside its target under a temporary name. A new target is created by one rename.
An existing target is exchanged with the new folder in one system call if the kernel supports
``renameat2``, otherwise by two renames, of which the first is undone if the second fails. Until
then the old folder does not change.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from convert.errors import ConvertError

__all__ = ["built_beside", "kept_beside"]

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def built_beside(target: Path, *, force: bool) -> Iterator[Path]:
    """Yield a temporary folder that becomes `target` when the block ends without an exception.

    Args:
        target: Path of the finished folder.
        force: Whether an existing folder may be replaced; only an empty folder, or one with a
            ``model.json``, is ever replaced.

    Yields:
        The temporary folder, on the same file system.

    Raises:
        ConvertError: The target exists and may not be replaced, or cannot be written.
    """
    _check(target, force)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(target)
        temporary.mkdir()
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield temporary
        _flush(temporary)
        _check(target, force)
        _put(temporary, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def kept_beside(target: Path, *, force: bool, marker: str) -> Iterator[Path]:
    """Yield a working folder that becomes `target` when the block ends without an exception.

    Unlike the folder of `built_beside`, the working folder stays when the work stops, and the next
    call resumes in the same folder.

    Args:
        target: Path of the finished folder.
        force: Whether an existing folder may be replaced.
        marker: Name of a file that identifies this kind of folder.

    Yields:
        The working folder, with the files of earlier work.

    Raises:
        ConvertError: The target exists and may not be replaced, or cannot be written.
    """
    _check(target, force, marker)
    working = target.with_name(f".{target.name}.unfinished")
    try:
        working.mkdir(parents=True, exist_ok=True)
        yield working
        _flush(working)
        _check(target, force, marker)
        _put(working, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    # the replaced folder has the name of the working folder now
    shutil.rmtree(working, ignore_errors=True)


def _cannot_write(target: Path, error: OSError) -> ConvertError:
    return ConvertError(
        f"Cannot write {target}: {error.strerror or error}. "
        "The earlier content is unchanged. Free some space or choose another --out."
    )


def _check(target: Path, force: bool, marker: str = "model.json") -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ConvertError(f"{target} is a file, not a folder. Choose another --out.")
    if not any(target.iterdir()):
        return
    if not force:
        raise ConvertError(f"{target} exists. Use --force to replace it, or choose another --out.")
    if not (target / marker).is_file():
        what = "bundle" if marker == "model.json" else "tuning"
        raise ConvertError(
            f"{target} is not a {what} (it has no {marker}) and is not replaced even with --force. "
            "Choose another --out."
        )


def _clear_abandoned(target: Path) -> None:
    """Remove the temporary folders of killed exports."""
    for folder in target.parent.glob(f".{target.name}.*.partial"):
        number = folder.name.split(".")[-2]
        if number.isdigit() and _is_dead(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_dead(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _flush(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _put(temporary: Path, target: Path) -> None:
    """Move `temporary` to `target`; an earlier folder is moved to `temporary` or removed."""
    if not target.exists():
        temporary.rename(target)
    elif not _exchange(temporary, target):
        old = target.with_name(f".{target.name}.{os.getpid()}.old")
        target.rename(old)
        try:
            temporary.rename(target)
        except OSError:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders atomically; return False if the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    done = rename(
        _AT_FDCWD,
        os.fsencode(first),
        _AT_FDCWD,
        os.fsencode(second),
        ctypes.c_uint(_RENAME_EXCHANGE),
    )
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code))
