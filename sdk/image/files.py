"""Names and formats of picture files."""

from __future__ import annotations

import os
from pathlib import Path

# fmt: off
PICTURE_SUFFIXES = frozenset((
    ".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg",
    ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
))
# fmt: on

# Pillow's names of the supported formats, the most common first.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM", "DIB", "JPEG2000", "AVIF", "TGA")


def list_pictures(folder: Path) -> list[os.DirEntry[str]]:
    """Return the picture files directly in a folder, ordered by name, without hidden files.

    Raises:
        OSError: The folder does not exist or cannot be listed.
    """
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if is_picture(entry.name) and entry.is_file()]
    return sorted(found, key=lambda entry: entry.name)


def pictures_below(folder: Path) -> list[Path]:
    """Return the picture files in a folder and its subfolders, ordered by path.

    A folder that does not exist holds none.
    """
    return sorted(path for path in folder.rglob("*") if is_picture(path.name) and path.is_file())


def is_picture(name: str) -> bool:
    """Tell whether a file name is that of a picture. Hidden files do not count."""
    return not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES
