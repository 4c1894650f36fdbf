"""Contents of folders, for a list of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sdk.errors import SdkError
from sdk.image.files import list_pictures


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A folder or a picture in a list of files."""

    path: Path
    name: str
    is_folder: bool


def list_folder(folder: Path) -> list[FileEntry]:
    """Return the parent folder, the folders and the pictures of a folder, without hidden names.

    Raises:
        SdkError: The folder cannot be read.
    """
    try:
        folders = [
            FileEntry(path, path.name, True)
            for path in folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        ]
        pictures = [FileEntry(Path(x.path), x.name, False) for x in list_pictures(folder)]
    except OSError as error:
        raise SdkError(
            f"Cannot open {folder}: {error.strerror or error}. Choose another folder."
        ) from error
    entries = [
        *sorted(folders, key=lambda entry: entry.name.lower()),
        *sorted(pictures, key=lambda entry: entry.name.lower()),
    ]
    if folder.parent != folder:
        entries.insert(0, FileEntry(folder.parent, "..", True))
    return entries
