"""Journal of a preparation: a database with a row for each item, on the disk, not in memory.

The journal is what a killed preparation resumes from, finds duplicates by, and counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from training.errors import TrainingError
from training.prepare.items import Item

__all__ = ["Finding", "Journal", "Row"]

_SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    unit INTEGER NOT NULL,  -- first item of the picture that is written
    picture TEXT NOT NULL,
    label TEXT,
    source TEXT NOT NULL,
    given TEXT NOT NULL,
    quad TEXT NOT NULL,
    case_counts INTEGER NOT NULL,
    outcome TEXT,       -- NULL: not examined; '': kept; else why its text is not used
    text TEXT,
    image TEXT,         -- name in the labeled folder; empty if the picture is left out
    place TEXT,         -- quad in this picture
    width INTEGER, height INTEGER, needed INTEGER,
    digest BLOB,
    doubt TEXT NOT NULL DEFAULT '',
    reading TEXT,       -- NULL: not read
    log_odds REAL,      -- of the reading against the text
    split TEXT NOT NULL DEFAULT ''
);
"""
_BATCH = 1000


@dataclass(frozen=True)
class Row:
    """An item in the journal.

    Attributes:
        id: Number of the item, from 0.
        unit: Number of the first item of the picture that is written for it.
        item: The item.
    """

    id: int
    unit: int
    item: Item


@dataclass(frozen=True)
class Finding:
    """What the examination of an item found.

    Attributes:
        outcome: Why its text is not used; empty if the item is kept.
        text: The text, normalized.
        image: Name of its picture in the labeled folder; empty if the picture is left out.
        place: Quad in this picture, as in `Item`; empty if there is none.
        width: Width of the line in px.
        height: Height of the line in px.
        needed: Least width in px at a height of 32 px from which CTC can read the text.
        digest: Digest of the picture.
        doubt: Why the kept item may be wrong; empty if nothing is unusual.
    """

    outcome: str = ""
    text: str = ""
    image: str = ""
    place: tuple[float, ...] = ()
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

    def define(self, name: str, function: Callable[[Any], Any]) -> None:
        """Make a function of one value known to queries."""
        self._base.create_function(name, 1, function, deterministic=True)

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

    def fill(self, items: Iterator[Item], *, by_photo: bool) -> int:
        """Write all items and return their number; those of a killed call are replaced.

        Args:
            items: The items.
            by_photo: Whether consecutive items of one picture are one unit; otherwise each item is.
        """
        self.run("DELETE FROM item")
        count = unit = 0
        last = None
        while batch := list(islice(items, _BATCH)):
            rows = []
            for number, item in enumerate(batch, count):
                if not by_photo or item.picture != last:
                    unit, last = number, item.picture
                quad = "" if item.quad == () else json.dumps(item.quad)
                start = (number, unit, item.picture, item.text, item.source, item.split)
                rows.append((*start, quad, item.case))
            self.change(
                "INSERT INTO item (id, unit, picture, label, source, given, quad, case_counts) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            count += len(batch)
        return count

    def unexamined(self, count: int, after: int = -1) -> list[list[Row]]:
        """Return the first units that are not examined yet, each with all its items.

        Args:
            count: Number of items to aim at.
            after: Number of an item; only later ones are returned.
        """
        found = self.rows(
            "SELECT id, unit, picture, label, source, given, quad, case_counts FROM item "
            "WHERE outcome IS NULL AND id > ? ORDER BY id LIMIT ?",
            (after, count),
        )
        units = [
            [_row(*values) for values in group] for _, group in groupby(found, lambda row: row[1])
        ]
        if len(found) < count:
            return units
        # the last one may go on behind the limit
        return units[:-1] or self.unexamined(2 * count, after)

    def write_findings(self, findings: Iterable[tuple[int, Finding]]) -> None:
        """Write what was found for items."""
        self.change(
            "UPDATE item SET outcome = ?, text = ?, image = ?, place = ?, width = ?, height = ?, "
            "needed = ?, digest = ?, doubt = ? WHERE id = ?",
            [
                (
                    f.outcome,
                    f.text,
                    f.image,
                    json.dumps(f.place) if f.place else "",
                    f.width,
                    f.height,
                    f.needed,
                    f.digest,
                    f.doubt,
                    number,
                )
                for number, f in findings
            ],
        )


def _row(
    number: int,
    unit: int,
    picture: str,
    label: str | None,
    source: str,
    given: str,
    quad: str,
    case: int,
) -> Row:
    place = json.loads(quad or "[]")
    corners = None if place is None else tuple(place)
    return Row(number, unit, Item(picture, label, source, given, corners, bool(case)))
