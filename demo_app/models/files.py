"""Folders as a file list shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sdk.errors import SdkError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A folder or a picture in a list of files."""

    path: Path
    name: str
    is_folder: bool


def list_folder(folder: Path) -> list[FileEntry]:
    """Return what a folder holds: the way up, folders, then pictures; hidden names are left out.

    Raises:
        SdkError: The folder cannot be read.
    """
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise SdkError(f"Cannot open {folder}: {error.strerror or error}.") from error
    paths.sort(key=lambda path: path.name.lower())
    entries = [FileEntry(path, path.name, True) for path in paths if path.is_dir()]
    entries += [
        FileEntry(path, path.name, False) for path in paths if path.suffix.lower() in PICTURES
    ]
    if folder.parent != folder:
        entries.insert(0, FileEntry(folder.parent, "..", True))
    return entries
