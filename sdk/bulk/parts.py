"""Part files: the rows of a chunk as JSON Lines or Parquet, and what they count.

A row is a page of a photo: its key and its reading, or its key and an error. A row holds nothing
that depends on the machine or on the time, so whoever does a chunk writes the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sdk.terminal import json_line

__all__ = ["FORMATS", "KILLED", "Counts", "count", "decode", "encode", "part_name", "part_numbers"]

FORMATS = ("jsonl", "parquet")
KILLED = "killed the reader"
"""Start of the error of a photo whose process died at every attempt."""


@dataclass(frozen=True)
class Counts:
    """What a part, or a whole output, holds.

    Attributes:
        photos: Number of photos.
        pages: Number of pages that were read.
        lines: Number of lines of text.
        unreadable: Number of photos with an error row.
        killed: Those of them that ended their process.
    """

    photos: int = 0
    pages: int = 0
    lines: int = 0
    unreadable: int = 0
    killed: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums."""
        mine, others = asdict(self), asdict(other)
        return Counts(**{name: mine[name] + others[name] for name in mine})


def part_name(number: int, form: str) -> str:
    """Return the file name of a chunk's part."""
    return f"part-{number:05d}.{form}"


def part_numbers(names: Iterable[str], form: str) -> set[int]:
    """Return the numbers of the parts among file names."""
    pattern = re.compile(rf"part-(\d{{5,}})\.{form}")
    return {int(found[1]) for name in names if (found := pattern.fullmatch(name))}


def encode(rows: Sequence[dict[str, Any]], form: str) -> bytes:
    """Return the bytes of a part."""
    if form == "jsonl":
        return "".join(json_line(row) + "\n" for row in rows).encode("utf-8", "surrogateescape")
    from pyarrow import Table
    from pyarrow.parquet import write_table

    buffer = io.BytesIO()
    write_table(Table.from_pylist(list(rows), schema=_schema()), buffer, compression="zstd")
    return buffer.getvalue()


def decode(data: bytes, form: str) -> list[dict[str, Any]]:
    """Return the rows of a part.

    Raises:
        ValueError: The bytes are not a part.
    """
    if form == "jsonl":
        text = data.decode("utf-8", "surrogateescape")
        if not text.endswith("\n"):
            raise ValueError("the last row is not complete")
        return [json.loads(line) for line in text.splitlines()]
    from pyarrow.parquet import read_table

    rows: list[dict[str, Any]] = read_table(io.BytesIO(data)).to_pylist()
    return rows


def count(rows: Iterable[dict[str, Any]]) -> tuple[Counts, str]:
    """Return what rows hold, and the SHA-256 of their keys in order."""
    digest, before = hashlib.sha256(), None
    photos = pages = lines = unreadable = killed = 0
    for row in rows:
        if row["key"] != before:
            before = row["key"]
            digest.update(f"{before}\n".encode("utf-8", "surrogateescape"))
            photos += 1
        error = row.get("error")
        if error is None:
            pages += 1
            lines += len(row["lines"])
        else:
            unreadable += 1
            killed += error.startswith(KILLED)
    return Counts(photos, pages, lines, unreadable, killed), digest.hexdigest()


def _schema() -> Any:
    import pyarrow as pa

    quad = pa.list_(pa.list_(pa.float64()))
    char = pa.struct(
        [
            ("text", pa.string()),
            ("confidence", pa.float64()),
            ("quad", quad),
            ("unknown", pa.bool_()),
        ]
    )
    line = pa.struct(
        [
            ("text", pa.string()),
            ("confidence", pa.float64()),
            ("probability", pa.float64()),
            ("quad", quad),
            ("chars", pa.list_(char)),
            ("detection_confidence", pa.float64()),
            ("angle_rad", pa.float64()),
            ("raw_text", pa.string()),
            ("pattern_ok", pa.bool_()),
        ]
    )
    note = pa.struct([("code", pa.string()), ("text", pa.string())])
    return pa.schema(
        [
            ("key", pa.string()),
            ("error", pa.string()),
            ("schema", pa.int64()),
            ("width", pa.int64()),
            ("height", pa.int64()),
            ("model", pa.string()),
            ("device", pa.string()),
            ("page", pa.int64()),
            ("notes", pa.list_(note)),
            ("lines", pa.list_(line)),
        ]
    )
