"""Journal of a preparation: a database with a row for each item, on the disk, not in memory.

The journal is what a killed preparation resumes from, finds duplicates by, and counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.prepare.items import Item

__all__ = ["Finding", "Journal", "Row"]

_SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    picture TEXT NOT NULL,
    label TEXT,
    source TEXT NOT NULL,
    given TEXT NOT NULL,
    quad TEXT NOT NULL,
    case_counts INTEGER NOT NULL,
    outcome TEXT,       -- NULL: not examined; '': kept; else why it is left out
    text TEXT,
    image TEXT,         -- name in the labeled folder
    width INTEGER, height INTEGER, needed INTEGER,
    digest BLOB,
    doubt TEXT NOT NULL DEFAULT '',
    reading TEXT NOT NULL DEFAULT '',
    split TEXT NOT NULL DEFAULT ''
);
"""
_BATCH = 1000


@dataclass(frozen=True)
class Row:
    """An item in the journal."""

    id: int
    item: Item


@dataclass(frozen=True)
class Finding:
    """What the examination of an item found.

    Attributes:
        outcome: Why the item is left out; empty if it is kept.
        text: The text, normalized.
        image: Name of its picture in the labeled folder.
        width: Width of the line in px.
        height: Height of the line in px.
        needed: Least width in px at a height of 32 px from which CTC can read the text.
        digest: Digest of the picture.
        doubt: Why the kept item may be wrong; empty if nothing is unusual.
    """

    outcome: str = ""
    text: str = ""
    image: str = ""
    width: int = 0
    height: int = 0
    needed: int = 0
    digest: bytes = b""
    doubt: str = ""


class Journal:
    """The database of a preparation; a context that closes it."""

    def __init__(self, path: Path) -> None:
        """Open or create the database.

        Raises:
            TrainingError: The file cannot be opened.
        """
        try:
            self._base = sqlite3.connect(path, isolation_level=None)
            # a lost transaction is only examined again
            self._base.execute("PRAGMA synchronous = OFF")
            if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'item'"):
                self._base.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise TrainingError(f"Cannot write {path}: {error}.") from error

    def __enter__(self) -> Journal:
        """Return the journal."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self._base.close()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self._base.execute(query, values).fetchall()

    def each(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, a few in memory at a time."""
        yield from self._base.execute(query, values)

    def number(self, query: str, values: Sequence[Any] = ()) -> int:
        """Return the only number that a query finds; 0 for none."""
        found = self.rows(query, values)
        return int(found[0][0] or 0) if found else 0

    def run(self, query: str) -> None:
        """Run a statement without values."""
        self._base.execute(query)

    def change(self, query: str, values: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each sequence of values, in one transaction."""
        self._base.execute("BEGIN")
        self._base.executemany(query, values)
        self._base.execute("COMMIT")

    def setting(self, name: str) -> Any:
        """Return a setting; None if it is not set."""
        found = self.rows("SELECT value FROM setting WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def set(self, name: str, value: Any) -> None:
        """Change a setting."""
        self.change("INSERT OR REPLACE INTO setting VALUES (?, ?)", [(name, json.dumps(value))])

    def fill(self, items: Iterator[Item]) -> int:
        """Write all items and return their number; those of a killed call are replaced."""
        self.run("DELETE FROM item")
        count = 0
        while batch := list(islice(items, _BATCH)):
            self.change(
                "INSERT INTO item (id, picture, label, source, given, quad, case_counts) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        count + n,
                        item.picture,
                        item.text,
                        item.source,
                        item.split,
                        json.dumps(item.quad) if item.quad else "",
                        item.case,
                    )
                    for n, item in enumerate(batch)
                ],
            )
            count += len(batch)
        return count

    def unexamined(self, count: int, after: int = -1) -> list[Row]:
        """Return the first items with a greater number than ``after`` that are not examined yet."""
        found = self.rows(
            "SELECT id, picture, label, source, given, quad, case_counts FROM item "
            "WHERE outcome IS NULL AND id > ? ORDER BY id LIMIT ?",
            (after, count),
        )
        return [
            Row(n, Item(picture, label, source, given, tuple(json.loads(quad or "[]")), bool(case)))
            for n, picture, label, source, given, quad, case in found
        ]

    def write_findings(self, findings: Iterable[tuple[int, Finding]]) -> None:
        """Write what was found for items."""
        self.change(
            "UPDATE item SET outcome = ?, text = ?, image = ?, width = ?, height = ?, needed = ?, "
            "digest = ?, doubt = ? WHERE id = ?",
            [
                (f.outcome, f.text, f.image, f.width, f.height, f.needed, f.digest, f.doubt, n)
                for n, f in findings
            ],
        )
