"""Where `fots-lite read` puts its results: standard output or a file, and drawings."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.cli.inputs import Picture
from sdk.errors import OptionError
from sdk.files import write_atomically
from sdk.formats import Format
from sdk.terminal import printable

if TYPE_CHECKING:
    from sdk.image.load import ImageSource
    from sdk.results import Reading

DRAWING_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


class Output:
    """Writes readings in a format, page by page.

    Standard output gets each page as soon as it is there. A file gets all of them at the end, so
    that it is never half-written.
    """

    def __init__(self, form: Format, path: str | None) -> None:
        """Check that the output can be written at all, before any work is done.

        Args:
            form: The format.
            path: File to write; None for standard output.

        Raises:
            OptionError: The file's folder is missing or not writable, or the file is a folder.
        """
        self._format = form
        self._path = None if path is None else check_target(path)
        self._parts: list[str] = []
        self._pages = 0

    def start(self) -> None:
        """Write what comes before the first page."""
        self._put(self._format.start())

    def add(self, name: str, reading: Reading, title: str = "") -> None:
        """Write the next page, below a line with its title if it has one."""
        self._pages += 1
        if title:
            self._put(("\n" if self._pages > 1 else "") + f"==> {printable(title)} <==\n")
        self._put(self._format.page(name, self._pages, reading))

    def end(self) -> None:
        """Write what comes after the last page, and the file if there is one.

        Raises:
            SdkError: The file cannot be written; what was there before is untouched.
        """
        self._put(self._format.end())
        if self._path is not None:
            write_atomically(self._path, "".join(self._parts).encode("utf-8", "surrogateescape"))

    def _put(self, text: str) -> None:
        if self._path is not None:
            self._parts.append(text)
        elif text:
            sys.stdout.write(text)
            sys.stdout.flush()


def check_target(path: str) -> Path:
    """Return a path after checking that a file can be written there.

    Raises:
        OptionError: The folder is missing or not writable, or the path is itself a folder.
    """
    target = Path(path)
    folder = target.parent
    if target.is_dir():
        raise OptionError(f"Cannot write {path}: it is a folder. Give the name of a file.")
    if not folder.is_dir():
        raise OptionError(f"Cannot write {path}: there is no folder {folder}. Create it first.")
    if not os.access(folder, os.W_OK):
        raise OptionError(
            f"Cannot write {path}: the folder {folder} is not writable. Choose another."
        )
    return target


def plan_drawings(out: str | None, pictures: list[Picture]) -> list[Path | None]:
    """Return where the drawing of each picture goes; None for each if none are wanted.

    One picture is drawn to the file `out`, unless that is a folder; several go to the folder
    `out`, which is created, as PNG files of the pictures' names.

    Raises:
        OptionError: `out` cannot be written, has no picture suffix, is a file for several, or a
            drawing would replace one of the pictures.
    """
    if out is None:
        return [None] * len(pictures)
    folder = Path(out)
    if len(pictures) == 1 and not folder.is_dir():
        _check_suffix(folder)
        _refuse_overwriting(folder, pictures)
        return [check_target(out)]
    if folder.suffix.lower() in DRAWING_SUFFIXES:
        raise OptionError(
            f"Cannot draw {len(pictures)} pictures to the one file {out}. Give a folder."
        )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"Cannot create the folder {out}: {error.strerror or error}. Choose another."
        ) from error
    names = _distinct_names(folder, pictures)
    for name in names:
        _refuse_overwriting(check_target(str(name)), pictures)
    return list(names)


def page_drawing(path: Path, page: int, taken: set[Path]) -> Path:
    """Return where the drawing of a further page goes: beside the first, its number in the name.

    Args:
        path: Where the drawing of the first page goes.
        page: The page's number.
        taken: Drawings and pictures, to which the name is added.
    """
    name = path.with_stem(f"{path.stem}-page{page}")
    while name in taken:
        name = name.with_stem(name.stem + "-")
    taken.add(name)
    return name


def save_drawing(reading: Reading, source: ImageSource, path: Path) -> None:
    """Write a picture with its lines marked, wholly or not at all.

    Raises:
        SdkError: The picture cannot be loaded again, or the drawing cannot be written.
    """
    from PIL import Image

    buffer = io.BytesIO()
    reading.draw(source).save(buffer, Image.registered_extensions()[path.suffix.lower()])
    write_atomically(path, buffer.getvalue())


def _refuse_overwriting(path: Path, pictures: list[Picture]) -> None:
    if not path.exists():
        return
    for picture in pictures:
        if picture.path is not None and picture.path.exists() and path.samefile(picture.path):
            raise OptionError(
                f"Cannot draw to {path}: it is one of the pictures to read. Give another name."
            )


def _distinct_names(folder: Path, pictures: list[Picture]) -> list[Path]:
    """Return one PNG name for each picture; a.jpg and a.png become a.png and a-2.png."""
    taken: set[str] = set()
    names: list[Path] = []
    for picture in pictures:
        stem = name = Path(picture.name).stem
        count = 1
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}"
        taken.add(name.lower())
        names.append(folder / f"{name}.png")
    return names


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in DRAWING_SUFFIXES:
        found = f"its suffix is {path.suffix!r}" if path.suffix else "it has no suffix"
        legal = ", ".join(DRAWING_SUFFIXES)
        raise OptionError(f"Cannot draw to {path}: {found}. Use one of {legal}.")
