"""Export of corrected readings as labeled photos, to evaluate a model.

The folder holds ``images/ID.jpg`` and ``labels.jsonl``, one row per photo with its lines and their
quads, in the format of `python -m training evaluate`. If a job has a region, the photo is cropped
to the region, because other text was neither read nor corrected. With several regions, the photo is
cropped around them, and painted over between them.
"""

from __future__ import annotations

import difflib
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from sdk.errors import HistoryError
from sdk.files import write_atomically
from sdk.region import Shares
from sdk.results import TextLine
from sdk.station.history.record import Record

if TYPE_CHECKING:
    from sdk.station.history.history import History

__all__ = ["align", "inspected_part", "write_labels"]


def write_labels(history: History, path: str | os.PathLike[str], ids: Sequence[int]) -> int:
    """Write the corrected records that have a full picture, and return their number.

    Raises:
        HistoryError: The folder is not empty or cannot be created.
        SdkError: A file cannot be written.
    """
    folder = Path(path)
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        if any((folder / "images").iterdir()) or (folder / "labels.jsonl").exists():
            raise HistoryError(f"Cannot export to {folder}: it is not empty. Name a new folder.")
    except OSError as error:
        raise HistoryError(
            f"Cannot create the folder {folder}: {error.strerror or error}. Name another folder."
        ) from error
    rows = []
    for record in history.records(ids):
        picture = history.picture(record.id)
        if picture is not None and record.correction is not None:
            name = f"images/{record.id}.jpg"
            row, data = _label(record, picture)
            write_atomically(folder / name, data)
            rows.append(json.dumps({"image": name, **row}, ensure_ascii=False) + "\n")
    # last, because this file makes the folder a labeled set
    write_atomically(folder / "labels.jsonl", "".join(rows).encode())
    return len(rows)


def align(wanted: Sequence[str], lines: Sequence[TextLine]) -> list[TextLine | None]:
    """Return the read line for each line of a correction, or None.

    Both are in reading order. Equal numbers of lines are paired one by one. Otherwise the alignment
    with the greatest similarity counts.
    """
    if len(wanted) == len(lines):
        return list(lines)
    # best[i][j]: similarity of the first i wanted and the first j read lines, and the pairs
    best: list[list[tuple[float, tuple[tuple[int, int], ...]]]] = [
        [(0.0, ()) for _ in range(len(lines) + 1)] for _ in range(len(wanted) + 1)
    ]
    for i, text in enumerate(wanted, 1):
        for j, line in enumerate(lines, 1):
            likeness = difflib.SequenceMatcher(None, text, line.text, autojunk=False).ratio()
            score, pairs = best[i - 1][j - 1]
            paired = (score + likeness, (*pairs, (i - 1, j - 1)))
            best[i][j] = max(best[i - 1][j], best[i][j - 1], *([paired] if likeness >= 0.5 else []))
    found = dict(best[-1][-1][1])
    return [lines[found[i]] if i in found else None for i in range(len(wanted))]


def inspected_part(
    record: Record, picture: bytes
) -> tuple[bytes, tuple[int, int], tuple[int, int]]:
    """Return the part of a record's picture that its job inspects.

    Args:
        record: The record.
        picture: Its full picture, JPEG.

    Returns:
        The part as JPEG, its corner (x, y) in the picture and its size (width, height), in pixels.
        Between the regions of several fields it has the mean color of the picture.
    """
    around = record.verdict.region
    with Image.open(io.BytesIO(picture)) as image:
        if around is None:
            return picture, (0, 0), image.size
        box = _pixels(around, image.size)
        mean = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        shown = Image.new(image.mode, image.size, mean)
        for region in record.verdict.regions.values():
            inside = _pixels(region, image.size)
            shown.paste(image.crop(inside), inside)
        part = shown.crop(box)
        cut = io.BytesIO()
        part.save(cut, "JPEG", quality=95)
        return cut.getvalue(), box[:2], part.size


def _pixels(region: Shares, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, upper, right and lower edge of a region in pixels."""
    (width, height), (left, top, wide, high) = size, region
    return (
        round(left * width),
        round(top * height),
        round((left + wide) * width),
        round((top + high) * height),
    )


def _label(record: Record, picture: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a row of labels, and its photo as JPEG."""
    picture, (x, y), size = inspected_part(record, picture)
    wanted = [text for text in (record.correction or "").splitlines() if text.strip()]
    texts = [
        {
            "text": text,
            "quad": None if line is None else [[a - x, b - y] for a, b in line.quad],
            "ignore": False,
        }
        for text, line in zip(wanted, align(wanted, record.verdict.reading.lines), strict=True)
    ]
    return {"width": size[0], "height": size[1], "texts": texts}, picture
