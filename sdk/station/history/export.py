"""Export of records as CSV, JSON, or a ZIP of both with the pictures.

Anybody may print a text on a product, and spreadsheets treat a text as a formula if it begins with
one of ``= + - @``, a tab or a line break. In CSV such a text gets a leading apostrophe, as OWASP
proposes ("CSV Injection"). A text with apostrophes before such a character gets one more
apostrophe, so that the removal of one apostrophe always restores the text. Plain numbers such as
-18.4 are not changed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING

from sdk.files import open_atomically
from sdk.station.history.record import Record

if TYPE_CHECKING:
    from sdk.station.history.history import History

__all__ = ["COLUMNS", "write_csv", "write_json", "write_zip"]

# The last four are wide forms, which spreadsheets in East Asia treat as the same characters.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")

COLUMNS = ("id", "time", "job", "status", "text", "correction", "reasons", "least_confidence")


def write_csv(history: History, path: str | os.PathLike[str], ids: Sequence[int]) -> int:
    """Write a heading and one row per record. Lines of text are joined by newlines and quoted."""
    with open_atomically(path) as file:
        return _put(file, _csv_lines(history.records(ids)))


def write_json(history: History, path: str | os.PathLike[str], ids: Sequence[int]) -> int:
    """Write a list of records, each from `Record.to_dict`."""
    with open_atomically(path) as file:
        return _put(file, _json_lines(history.records(ids)))


def write_zip(history: History, path: str | os.PathLike[str], ids: Sequence[int]) -> int:
    """Write records.csv, records.json, and pictures/ID.jpg, the full picture or the thumbnail."""
    with open_atomically(path) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        with out.open("records.csv", "w", force_zip64=True) as file:
            count = _put(file, _csv_lines(history.records(ids)))
        with out.open("records.json", "w", force_zip64=True) as file:
            _put(file, _json_lines(history.records(ids)))
        for record_id in ids:
            picture = history.picture(record_id) or history.thumbnail(record_id)
            if picture is not None:
                # compression makes a JPEG no smaller
                out.writestr(f"pictures/{record_id}.jpg", picture, zipfile.ZIP_STORED)
    return count


def _put(file: IO[bytes], lines: Iterator[tuple[int, str]]) -> int:
    """Write lines, each with its number of records, and return the sum of the numbers."""
    total = 0
    for count, line in lines:
        file.write(line.encode())
        total += count
    return total


def _csv_lines(records: Iterator[Record]) -> Iterator[tuple[int, str]]:
    yield 0, _csv_line(COLUMNS)
    for record in records:
        verdict = record.verdict
        confidences = [line.confidence for line in verdict.reading]
        yield (
            1,
            _csv_line(
                (
                    record.id,
                    datetime.fromtimestamp(verdict.time)
                    .astimezone()
                    .isoformat("T", "milliseconds"),
                    verdict.job,
                    verdict.status,
                    verdict.reading.text,
                    record.correction,
                    "; ".join(verdict.reasons),
                    round(min(confidences), 4) if confidences else None,
                )
            ),
        )


def _csv_line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(v) if isinstance(v, str) else v for v in values])
    return text.getvalue()


def _cell(text: str) -> str:
    """Return a text that no spreadsheet treats as a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _json_lines(records: Iterator[Record]) -> Iterator[tuple[int, str]]:
    yield 0, "["
    separator = "\n"
    for record in records:
        yield 1, separator + json.dumps(record.to_dict(), ensure_ascii=False)
        separator = ",\n"
    yield 0, "\n]\n"
