"""Labels of photos in text files: ICDAR's localization files, and PaddleOCR's detection lists.

A localization file belongs to one photo, ``gt_img_1.txt`` or ``img_1.txt`` to ``img_1.jpg``, and
has a row for each text: eight numbers (corners, ICDAR 2015) or four (left, top, right, bottom,
ICDAR 2013), then the text. A detection list has a row for each photo: its path, a tab, and a JSON
list of texts with their points.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.prepare.items import Item
from training.prepare.names import pictures_in
from training.prepare.text_files import text_lines

__all__ = [
    "find_localization",
    "is_detection_row",
    "is_localization_row",
    "quad_of_points",
    "read_detection_list",
    "read_localization",
]

_log = logging.getLogger("training")

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_CORNERS = re.compile(",".join([_NUMBER] * 8) + r"(?:,(?P<text>.*))?", re.DOTALL)
# ICDAR 2013 has blanks or commas between the numbers, and quotes around the text
_SIDES = re.compile(
    r"\s*(-?\d+)[ ,]+(-?\d+)[ ,]+(-?\d+)[ ,]+(-?\d+)[ ,]+\"(?P<text>.*)\"\s*", re.DOTALL
)
_PREFIX = "gt_"


def quad_of_points(points: Any) -> tuple[float, ...]:
    """Return the quad of a polygon, as in `Item`.

    Args:
        points: An even number of at least four points (x, y), clockwise from the start of the text:
            those of the upper edge, then those of the lower edge backwards.

    Raises:
        ValueError: The points are no such polygon.
    """
    if not isinstance(points, list) or len(points) < 4 or len(points) % 2:
        raise ValueError(f"the points are {points!r}, not four or more corners")
    half = len(points) // 2
    corners = [points[i] for i in (0, half - 1, half, len(points) - 1)]
    try:
        return tuple(float(value) for x, y in corners for value in (x, y))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the points are {points!r}, not pairs of numbers") from error


def is_localization_row(row: str) -> bool:
    """Tell whether a row of a text file has the corners or the sides of a box, and a text."""
    return _match(row) is not None


def _match(row: str) -> re.Match[str] | None:
    return _CORNERS.fullmatch(row) or _SIDES.fullmatch(row)


def find_localization(folder: Path, encoding: str) -> dict[str, Path]:
    """Return the localization files below a folder, by the path of their picture.

    A picture without a file is left out, which is logged.

    Raises:
        TrainingError: A file fits several pictures, or cannot be read.
    """
    files = sorted(folder.rglob("*.txt"))
    if not files:
        return {}
    pictures = list(pictures_in(folder))
    by_stem: dict[str, list[str]] = {}
    for picture in pictures:
        by_stem.setdefault(Path(picture).stem, []).append(picture)
    found: dict[str, Path] = {}
    is_certain = False
    for path in files:
        stem = path.stem.removeprefix(_PREFIX) if path.stem not in by_stem else path.stem
        fitting = by_stem.get(stem, [])
        near = [p for p in fitting if (folder / p).parent == path.parent] or fitting
        if not near:
            continue
        is_certain = is_certain or _has_boxes(path, encoding)
        if len(near) > 1 and is_certain:
            raise TrainingError(
                f"{path} fits several pictures: {', '.join(near[:3])}. Prepare their folders one "
                "by one."
            )
        found[near[0]] = path
    if not is_certain:
        return {}
    without = [picture for picture in pictures if picture not in found]
    if without:
        _log.warning(
            "%d pictures have no file of boxes and are left out, such as %s. A photo without text "
            "has an empty file.",
            len(without),
            without[0],
        )
    return found


def _has_boxes(path: Path, encoding: str) -> bool:
    first = next((row for row in text_lines(path, encoding) if row.strip()), "")
    return is_localization_row(first.rstrip("\r\n"))


def read_localization(files: dict[str, Path], encoding: str) -> Iterator[Item]:
    """Yield the texts of photos.

    Args:
        files: Localization files by the path of their picture.
        encoding: Encoding of the files.

    Raises:
        TrainingError: A row is no box with a text, or has another encoding.
    """
    for picture, path in files.items():
        is_empty = True
        for number, line in enumerate(text_lines(path, encoding), 1):
            row = line.rstrip("\r\n")
            if not row.strip():
                continue
            found = _match(row)
            if found is None:
                raise TrainingError(
                    f"{path}, line {number} is no box with a text: {row[:60]!r}. A row has eight "
                    "numbers, or four and a text in quotes, separated by commas."
                )
            is_empty = False
            numbers = [float(value) for value in found.groups()[:-1]]
            if len(numbers) == 4:
                left, top, right, bottom = numbers
                numbers = [left, top, right, top, right, bottom, left, bottom]
            yield Item(picture, found["text"], source=picture, quad=tuple(numbers))
        if is_empty:
            yield Item(picture, None, source=picture)


def is_detection_row(row: str) -> bool:
    """Tell whether a row is the path of a picture, a tab, and a list in JSON."""
    _, tab, rest = row.partition("\t")
    return bool(tab) and rest.lstrip().startswith("[")


def read_detection_list(path: Path, encoding: str) -> Iterator[Item]:
    """Yield the texts of the photos of a detection list.

    Raises:
        TrainingError: A row has another form, or another encoding.
    """
    for number, line in enumerate(text_lines(path, encoding), 1):
        if not line.strip():
            continue
        picture, _, rest = line.partition("\t")
        try:
            texts = json.loads(rest)
            for text in texts:
                legible = not text.get("difficult")
                label = str(text["transcription"]) if legible else None
                quad = quad_of_points(text["points"])
                yield Item(picture, label, source=picture, quad=quad)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise TrainingError(
                f"{path}, line {number} is no photo with its texts ({type(error).__name__}: "
                f"{error}). A row is a path, a tab, and a list such as "
                '[{"transcription": "LOT 7", "points": [[x, y], …]}].'
            ) from error
        if not texts:
            yield Item(picture, None, source=picture)
