"""The source of labels of a folder: a file, or the names of pictures or folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from training.errors import TrainingError
from training.prepare.boxes import (
    find_localization,
    is_detection_row,
    read_detection_list,
    read_localization,
)
from training.prepare.items import Item
from training.prepare.names import (
    MJSYNTH,
    pictures_in,
    read_folder_names,
    read_mjsynth_list,
    read_names,
    read_numbered,
)
from training.prepare.objects import read_json, read_jsonl
from training.prepare.tables import Columns, is_row, read_csv, read_rows, read_tsv
from training.prepare.text_files import text_lines

__all__ = ["Source", "Wanted", "find_source"]

_ROBOFLOW = "_annotations.coco.json"
_SUFFIXES = (".csv", ".json", ".jsonl", ".tsv", ".txt")
_USUAL = re.compile(
    r"(annotations?|char_labels|gt|ground_?truth|labels?|manifest|metadata|rec_gt.*|words|"
    r"(train|test|val).*(gt|label|anno).*|_annotations\.coco)\.(csv|json|jsonl|tsv|txt)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wanted:
    """What the command line says about the source of labels.

    Attributes:
        labels: File of labels; None to find one in the folder.
        names: Regular expression for the names of pictures; empty if the text is not in them.
        folders: Whether the text is the name of the picture's folder.
        encoding: Encoding of the file of labels.
        columns: Columns of a table.
    """

    labels: Path | None = None
    names: str = ""
    folders: bool = False
    encoding: str = "utf-8"
    columns: Columns = field(default_factory=Columns)


@dataclass(frozen=True)
class Source:
    """A source of labels.

    Attributes:
        what: Its form and its place, for messages.
        files: The files of labels; empty if names are the labels.
        items: Returns the items, from the start, in a stable order.
    """

    what: str
    files: tuple[Path, ...]
    items: Callable[[], Iterator[Item]]


def find_source(folder: Path, wanted: Wanted) -> Source:
    """Return the source of labels of a folder of pictures.

    Args:
        folder: Folder of pictures.
        wanted: Source that the command line names.

    Raises:
        TrainingError: The folder or the file is missing, or the folder has no or several files of
            labels.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder} is not a folder of pictures.")
    if wanted.names:
        return Source(
            f"names of files, {wanted.names}", (), lambda: read_names(folder, wanted.names)
        )
    if wanted.folders:
        return Source("names of folders", (), lambda: read_folder_names(folder))
    if wanted.labels is not None:
        path = wanted.labels if wanted.labels.exists() else folder / wanted.labels
        if not path.is_file():
            raise TrainingError(f"There is no file of labels {wanted.labels}.")
        return _of_file(folder, path, wanted)
    exports = sorted([*folder.glob(_ROBOFLOW), *folder.glob(f"*/{_ROBOFLOW}")])
    if exports:
        return _of_coco(folder, exports, wanted.encoding)
    there = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())
    files = [path for path in there if _USUAL.fullmatch(path.name)]
    if not files:
        boxes = find_localization(folder, wanted.encoding)
        if boxes:
            return _of_localization(folder, boxes, wanted.encoding)
        files = there if len(there) == 1 else []
    if len(files) > 1:
        raise TrainingError(
            f"{folder} holds several files of labels: {', '.join(p.name for p in files)}. "
            "Name one with --labels."
        )
    return _of_file(folder, files[0], wanted) if files else _of_names(folder)


def _of_localization(folder: Path, boxes: dict[str, Path], encoding: str) -> Source:
    what = f"boxes in {len(boxes)} files of {folder}"
    return Source(what, tuple(boxes.values()), lambda: read_localization(boxes, encoding))


def _of_file(folder: Path, path: Path, wanted: Wanted) -> Source:
    encoding, columns = wanted.encoding, wanted.columns
    kind = path.suffix.lower()
    if kind == ".csv":
        return Source(f"CSV {path}", (path,), lambda: read_csv(path, encoding, columns))
    if kind == ".tsv":
        return Source(f"TSV {path}", (path,), lambda: read_tsv(path, encoding, columns))
    if kind == ".jsonl":
        return Source(f"JSONL {path}", (path,), lambda: read_jsonl(path, encoding))
    if kind == ".json":
        return Source(f"JSON {path}", (path,), lambda: read_json(path, encoding))
    rows = [line for line in islice(text_lines(path, encoding), 100) if line.strip()]
    if not rows:
        raise TrainingError(f"{path} is empty: it holds no label.")
    if all(is_detection_row(row) for row in rows):
        return Source(
            f"detection list {path}", (path,), lambda: read_detection_list(path, encoding)
        )
    if all(_is_mjsynth(row) for row in rows):
        return Source(f"list {path}", (path,), lambda: read_mjsynth_list(path, encoding))
    if not any(is_row(row) for row in rows):
        return Source(
            f"texts {path}, a row for each numbered picture",
            (path,),
            lambda: read_numbered(folder, path, encoding),
        )
    return Source(f"text file {path}", (path,), lambda: read_rows(path, encoding))


def _is_mjsynth(row: str) -> bool:
    """Tell whether a row is a path of MJSynth and the word's number in the lexicon."""
    words = row.split()
    name = Path(words[0]).stem
    return (
        len(words) == 2
        and words[1].isdecimal()
        and re.fullmatch(MJSYNTH, name) is not None
        and name.endswith(f"_{words[1]}")
    )


def _of_coco(folder: Path, exports: list[Path], encoding: str) -> Source:
    def items() -> Iterator[Item]:
        for path in exports:
            place = path.parent.relative_to(folder)
            for item in read_json(path, encoding):
                picture = (place / item.picture).as_posix()
                yield replace(item, picture=picture, source=item.source and picture)

    return Source(f"COCO in {len(exports)} files of {folder}", tuple(exports), items)


def _of_names(folder: Path) -> Source:
    first = list(islice(pictures_in(folder), 200))
    if not first:
        raise TrainingError(
            f"{folder} holds neither a file of labels ({', '.join(_SUFFIXES)}) nor a picture."
        )
    if all(re.fullmatch(MJSYNTH, Path(picture).stem) for picture in first):
        return Source(f"names of files, {MJSYNTH}", (), lambda: read_names(folder, MJSYNTH))
    if all("/" in picture for picture in first):
        return Source("names of folders", (), lambda: read_folder_names(folder))
    raise TrainingError(
        f"{folder} holds pictures, but no file of labels. Name one with --labels FILE; or give "
        "--from-filename REGEX if the text is in the names of the files, such as "
        f"--from-filename '(.+)' for {Path(first[0]).name!r}."
    )
