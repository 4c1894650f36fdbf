"""Labels in the names of files and folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from training.errors import TrainingError
from training.prepare.items import PICTURE_SUFFIXES, Item, split_named
from training.prepare.text_files import text_lines

__all__ = [
    "MJSYNTH",
    "pictures_in",
    "read_folder_names",
    "read_mjsynth_list",
    "read_names",
    "read_numbered",
]

MJSYNTH = r"\d+_(.*)_\d+"
"""Name of a picture of MJSynth: number, word, number in the lexicon."""


def pictures_in(folder: Path) -> Iterator[str]:
    """Yield the paths of all pictures below a folder, in the order of their names."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and _suffix(name) in PICTURE_SUFFIXES:
                yield (Path(place) / name).relative_to(folder).as_posix()


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()


def read_names(folder: Path, pattern: str) -> Iterator[Item]:
    """Yield the pictures of a folder with the text that a pattern finds in the file's name.

    Args:
        folder: Folder of pictures, with subfolders.
        pattern: Regular expression for the whole name without suffix; its group ``text``, or its
            first group, is the text, its group ``source`` the photo. A name that does not match has
            no text.

    Raises:
        TrainingError: The pattern is invalid or has no group.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise TrainingError(
            f"--from-filename {pattern!r} is no regular expression: {error}."
        ) from error
    if not expression.groups:
        raise TrainingError(
            f"--from-filename {pattern!r} has no group: put the text in parentheses, such as "
            r"'\d+_(.+)'."
        )
    group: str | int = "text" if "text" in expression.groupindex else 1
    for picture in pictures_in(folder):
        found = expression.fullmatch(Path(picture).stem)
        source = found["source"] if found and "source" in expression.groupindex else ""
        yield Item(picture, found[group] if found else None, source=source or "")


def read_folder_names(folder: Path) -> Iterator[Item]:
    """Yield the pictures of a folder's subfolders with the name of their folder as the text.

    In ``train/LABEL/7.jpg`` the first folder is the split.
    """
    for picture in pictures_in(folder):
        folders = Path(picture).parent.parts
        split = split_named(folders[0]) if len(folders) > 1 else ""
        yield Item(picture, folders[-1] if folders else None, split=split)


def read_mjsynth_list(path: Path, encoding: str) -> Iterator[Item]:
    """Yield the items of a list of MJSynth: path and number; the text is in the path's name."""
    for line in text_lines(path, encoding):
        words = line.split()
        if words:
            found = re.fullmatch(MJSYNTH, Path(words[0]).stem)
            yield Item(words[0], found[1] if found else None)


def read_numbered(folder: Path, path: Path, encoding: str) -> Iterator[Item]:
    """Yield the pictures of a folder named by numbers, with the text in the row of their number.

    Raises:
        TrainingError: The file has more or fewer rows than the folder has such pictures, or a
            number is missing.
    """
    numbered = sorted(
        (int(Path(p).stem), p) for p in pictures_in(folder) if Path(p).stem.isdecimal()
    )
    numbers = [number for number, _ in numbered]
    if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise TrainingError(
            f"{path} has texts without a path, and a number is missing among the pictures of "
            f"{folder}: write the path of its picture before each text."
        )
    rows = 0
    for text in text_lines(path, encoding):
        if rows < len(numbered):
            yield Item(numbered[rows][1], text.rstrip("\r\n"))
        rows += 1
    if rows != len(numbered):
        raise TrainingError(
            f"{path} has {rows} texts without a path, but {folder} has {len(numbered)} pictures "
            "named by numbers. Write the path of its picture before each text."
        )
