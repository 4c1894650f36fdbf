"""Labels in tables: CSV, TSV, and text files with a path and a text in each row.

Text files of one line for each picture come in many forms, which one rule reads: the path ends with
the suffix of a picture, then follow tab, comma or blanks, then the text. That are the forms of
PaddleOCR (tab), of ICDAR's words (comma, text in quotes) and of a path and a text with a blank.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingError
from training.prepare.items import PICTURE_SUFFIXES, Item, split_named
from training.prepare.text_files import text_lines

__all__ = ["Columns", "is_row", "read_csv", "read_rows", "read_tsv"]

_PICTURE_COLUMNS = (
    "image_path",
    "image",
    "path",
    "filename",
    "file_name",
    "file",
    "image_name",
    "images",
    "img_path",
    "img",
    "name",
)
_TEXT_COLUMNS = (
    "plate_text",
    "text",
    "label",
    "labels",
    "transcription",
    "transcript",
    "ground_truth",
    "gt",
    "words",
    "word",
    "plate",
    "string",
    "value",
)
_SOURCE_COLUMNS = ("source", "photo")
_SPLIT_COLUMNS = ("split", "subset", "set")

_ROW = re.compile(
    rf"\s*(?P<path>.+?\.(?:{'|'.join(PICTURE_SUFFIXES)}))"
    r"(?P<gap>\s*[,;\t]\s*|[ \t]+|\s*$)(?P<text>.*)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Columns:
    """Names of the columns of picture and text; empty to find them by their usual names."""

    picture: str = ""
    text: str = ""


@dataclass(frozen=True)
class _Places:
    """Numbers of the columns of a table; None for a missing column."""

    picture: int
    text: int
    source: int | None = None
    split: int | None = None

    def item(self, row: Sequence[str]) -> Item:
        """Return the item of a row; a row that ends early has no text."""

        def cell(place: int | None) -> str:
            return "" if place is None or place >= len(row) else row[place]

        text = cell(self.text) if self.text < len(row) else None
        split = split_named(cell(self.split))
        return Item(cell(self.picture).strip(), text, source=cell(self.source), split=split)


def read_csv(path: Path, encoding: str, columns: Columns) -> Iterator[Item]:
    """Yield the items of a CSV file; commas and quotes in texts are in quotes, as CSV has it.

    The separator is the comma, or the semicolon if the first line has semicolons and no commas.

    Raises:
        TrainingError: The file has no such columns, a quote without end, or another encoding.
    """
    lines = text_lines(path, encoding)
    first = next(lines, "")
    separator = ";" if ";" in first and "," not in first else ","

    def again() -> Iterator[str]:
        yield first
        yield from lines

    reader = csv.reader(again(), delimiter=separator, strict=True)
    try:
        yield from _items(path, reader, columns)
    except csv.Error as error:
        raise TrainingError(
            f"{path}, line {reader.line_num}: {error}. A text with a quote or a comma is written "
            'in quotes, and a quote in it twice: "say ""hi"", please".'
        ) from error


def read_tsv(path: Path, encoding: str, columns: Columns) -> Iterator[Item]:
    """Yield the items of a file with tabs; quotes belong to the text, unless they enclose it all.

    Raises:
        TrainingError: The file has no such columns, or another encoding.
    """
    yield from _items(path, _tabbed(path, encoding), columns)


def _tabbed(path: Path, encoding: str) -> Iterator[list[str]]:
    for line in text_lines(path, encoding):
        row = line.rstrip("\r\n").split("\t")
        yield [_unquoted(cell) for cell in row]


def _unquoted(text: str) -> str:
    """Return a text without the quotes around it; a quote in it is doubled or has a backslash."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    inner = text[1:-1].replace('""', '"').replace('\\"', '"')
    return inner.replace("\\\\", "\\") if "\\" in inner else inner


def _items(path: Path, rows: Iterator[list[str]], columns: Columns) -> Iterator[Item]:
    header = next(rows, [])
    places, is_header = _places(path, header, columns)
    if not is_header:
        yield places.item(header)
    for row in rows:
        if any(row[len(header) :]):
            raise TrainingError(
                f"{path}: the row {_start(row)} has {len(row)} cells, the first row {len(header)}. "
                "Write a text that has the separator in quotes; or name every column in the first "
                "row."
            )
        if any(row):
            yield places.item(row)


def _places(path: Path, header: Sequence[str], columns: Columns) -> tuple[_Places, bool]:
    """Return the places of the columns, and whether the first row names them."""
    names = [name.strip().lower() for name in header]

    def find(given: str, usual: Sequence[str]) -> int | None:
        wanted = [given.strip().lower()] if given else list(usual)
        return next((names.index(name) for name in wanted if name in names), None)

    picture, text = find(columns.picture, _PICTURE_COLUMNS), find(columns.text, _TEXT_COLUMNS)
    if picture is not None and text is not None and picture != text:
        source, split = find("", _SOURCE_COLUMNS), find("", _SPLIT_COLUMNS)
        return _Places(picture, text, source, split), True
    plain = not (columns.picture or columns.text)
    if plain and len(header) >= 2 and _ROW.fullmatch(header[0]):
        if any(header[2:]):
            raise TrainingError(
                f"{path} does not name its columns, and its first row {_start(header)} has "
                f"{len(header)} cells. Write a first row with the names of the columns, such as "
                "filename,text; and a text that has the separator in quotes."
            )
        return _Places(0, 1), False
    missing = [
        (f"--{kind}-column", f"column {given!r}" if given else f"usual name of the {what}s' column")
        for kind, what, given, place in (
            ("image", "picture", columns.picture, picture),
            ("text", "text", columns.text, text),
        )
        if place is None
    ] or [("--text-column", "column of the text besides that of the picture")]
    found = ", ".join(map(repr, header)) if header else "none: the file is empty"
    raise TrainingError(
        f"{path} has no {' and no '.join(what for _, what in missing)}. Its columns: {found}. Name "
        f"the right one: {' and '.join(option for option, _ in missing)}."
    )


def _start(row: Sequence[str]) -> str:
    """Return the start of a row for a message."""
    return repr(", ".join(row)[:60])


def is_row(line: str) -> bool:
    """Tell whether a line begins with the path of a picture."""
    return _ROW.fullmatch(line) is not None


def read_rows(path: Path, encoding: str) -> Iterator[Item]:
    """Yield the items of a text file with a path and a text in each row, see the module.

    Raises:
        TrainingError: A row has no path of a picture, or another encoding.
    """
    for number, line in enumerate(text_lines(path, encoding), 1):
        line = line.rstrip("\r\n")
        if not line.strip():
            continue
        found = _ROW.fullmatch(line)
        if found is None:
            raise TrainingError(
                f"{path}, line {number} names no picture: {line[:60]!r}. A row is the path of a "
                "picture, a tab, comma or blank, and the text. Name another file with --labels."
            )
        text = found["text"].strip()
        # ICDAR's texts are in quotes; elsewhere quotes are a part of the text
        yield Item(found["path"], _unquoted(text) if "," in found["gap"] else text)
