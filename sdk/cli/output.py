"""Output of `fots-lite read`: standard output or a file, and drawings."""

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
    from PIL import Image

    from sdk.image.load import ImageSource
    from sdk.results import Reading

DRAWING_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


class Output:
    """Writes readings in a format, page by page.

    Standard output gets each page at once. A file gets all pages at the end, so that it is never
    incomplete.
    """

    def __init__(self, form: Format, path: str | None) -> None:
        """Check that the output can be written, before any other work.

        Args:
            form: The format.
            path: Path of the file. None for standard output.

        Raises:
            OptionError: The file's folder is missing or not writable, or the file is a folder.
        """
        self._format = form
        self._path = None if path is None else check_target(path)
        self._parts: list[str] = []
        self._pages = 0

    def start(self) -> None:
        """Write the start of the format."""
        self._put(self._format.start())

    def add(self, name: str, reading: Reading, title: str = "") -> None:
        """Write the next page, after a line with the title if there is one."""
        self._pages += 1
        if title:
            self._put(("\n" if self._pages > 1 else "") + f"==> {printable(title)} <==\n")
        self._put(self._format.page(name, self._pages, reading))

    def end(self) -> None:
        """Write the end of the format, and the file if there is one.

        Raises:
            SdkError: The file cannot be written. An existing file is unchanged.
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
    """Check that a file can be written to a path, and return the path.

    Raises:
        OptionError: The folder is missing or not writable, or the path is a folder.
    """
    target = Path(path)
    folder = target.parent
    if target.is_dir():
        raise OptionError(f"Cannot write {path}: it is a folder. Give the name of a file.")
    if not folder.is_dir():
        raise OptionError(f"Cannot write {path}: there is no folder {folder}. Create it first.")
    if not os.access(folder, os.W_OK):
        raise OptionError(
            f"Cannot write {path}: the folder {folder} is not writable. Choose another folder."
        )
    return target


def plan_drawings(out: str | None, pictures: list[Picture]) -> list[Path | None]:
    """Return the path of each picture's drawing, None for each without drawings.

    A single picture is drawn to the file `out`, unless `out` is a folder. Several pictures are
    drawn to the folder `out`, which is created, as PNG files with the names of the pictures.

    Raises:
        OptionError: `out` cannot be written, has no picture suffix, or is a file for several
            pictures, or a drawing would overwrite one of the pictures.
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
            f"Cannot draw {len(pictures)} pictures to the single file {out}. Give a folder."
        )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"Cannot create the folder {out}: {error.strerror or error}. Choose another folder."
        ) from error
    names = _distinct_names(folder, pictures)
    for name in names:
        _refuse_overwriting(check_target(str(name)), pictures)
    return list(names)


def page_drawing(path: Path, page: int, taken: set[Path]) -> Path:
    """Return the path of a further page's drawing, with the page number in the name.

    Args:
        path: Path of the first page's drawing.
        page: Number of the page.
        taken: Paths that must not be used. The returned path is added.
    """
    name = path.with_stem(f"{path.stem}-page{page}")
    while name in taken:
        name = name.with_stem(name.stem + "-")
    taken.add(name)
    return name


def save_drawing(reading: Reading, source: ImageSource, path: Path) -> None:
    """Write a picture with its lines marked, completely or not at all.

    Raises:
        SdkError: The picture cannot be loaded again, or the drawing cannot be written.
    """
    save_picture(reading.draw(source), path)


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a picture in the format of the path's suffix, completely or not at all.

    Raises:
        SdkError: The file cannot be written.
    """
    from PIL import Image

    buffer = io.BytesIO()
    picture.save(buffer, Image.registered_extensions()[path.suffix.lower()])
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
    """Return one PNG name for each picture. a.jpg and a.png become a.png and a-2.png."""
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
