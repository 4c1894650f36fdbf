"""The history screen: which verdicts are listed, the one looked at, corrections and exports."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo_app.language import tr
from demo_app.models.picture import Pixels
from sdk import load_image
from sdk.errors import ImageError, OptionError
from sdk.station import History, Record, Statistic

__all__ = ["EXPORTS", "PAGE", "HistoryModel", "HistoryRow"]

PAGE = 40
"""Rows that are listed at a time."""

# What an export is called in its file's name, and how it is written.
EXPORTS: dict[str, Callable[..., int]] = {
    "csv": History.export_csv,
    "json": History.export_json,
    "zip": History.export_zip,
    "labels": History.export_labels,
}
_HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class HistoryRow:
    """A verdict in the list; `thumbnail` is uint8 RGB (H, W, 3) or None."""

    record: Record
    thumbnail: Pixels | None

    def line_with(self, text: str) -> str:
        """Return the first line, read or corrected, that holds a text in any case; or nothing."""
        lines = f"{self.record.correction or ''}\n{self.record.verdict.reading.text}".splitlines()
        return next((line for line in lines if text.lower() in line.lower()), "")


class HistoryModel:
    """The verdicts that meet the filter, newest first, a page at a time.

    Attributes:
        status: Only verdicts of this status; None for all.
        text: Only verdicts with this in their text.
        offset: Number of the first row listed.
        chosen: The verdict looked at, or None.
    """

    def __init__(self, history: History, folder: Path) -> None:
        """Begin with all verdicts.

        Args:
            history: The file.
            folder: Where exports go.
        """
        self.history = history
        self.folder = folder
        self.status: str | None = None
        self.text = ""
        self.offset = 0
        self.chosen: Record | None = None

    def rows(self) -> list[HistoryRow]:
        """Return the page of verdicts."""
        records = self.history.search(**self._filter(), limit=PAGE, offset=self.offset)
        return [HistoryRow(r, decode(self.history.thumbnail(r.id))) for r in records]

    def count(self) -> int:
        """Return how many verdicts meet the filter."""
        return sum(stat.total for stat in self.history.statistics("job", **self._filter()))

    def filter(self, *, status: str | None, text: str) -> None:
        """List other verdicts, from the newest."""
        self.status, self.text, self.offset = status, text.strip(), 0

    def turn(self, pages: int) -> None:
        """Go so many pages to older verdicts, or back with a negative number."""
        self.offset = max(0, self.offset + pages * PAGE)

    def choose(self, record_id: int | None) -> Record | None:
        """Look at a verdict; None looks at none."""
        self.chosen = None if record_id is None else self.history.get(record_id)
        return self.chosen

    def picture(self) -> Pixels | None:
        """Return the picture of the chosen verdict: the full one, else the small one."""
        if self.chosen is None:
            return None
        picture = decode(self.history.picture(self.chosen.id))
        return decode(self.history.thumbnail(self.chosen.id)) if picture is None else picture

    def correct(self, text: str) -> None:
        """Keep what the chosen product really reads.

        Raises:
            OptionError: No verdict is chosen.
            HistoryError: It cannot be written.
        """
        if self.chosen is None:
            raise OptionError(tr("No verdict is chosen. Tap one first."))
        lines = [line.strip() for line in text.splitlines()]
        self.history.correct(self.chosen.id, "\n".join(line for line in lines if line))
        self.choose(self.chosen.id)

    def by_hour(self) -> list[Statistic]:
        """Return how the last hours with verdicts went, oldest first."""
        since = time.time() - _HOURS * 3600
        return self.history.statistics("hour", since=since)[-_HOURS:]

    def by_job(self) -> list[Statistic]:
        """Return how each job went."""
        return self.history.statistics("job")

    def export(self, kind: str) -> tuple[Path, int]:
        """Write the verdicts that meet the filter; takes time.

        Args:
            kind: A key of `EXPORTS`.

        Returns:
            The new file or folder, and how many verdicts it holds.

        Raises:
            SdkError: They cannot be read or written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"history-{time.strftime('%Y%m%d-%H%M%S')}"
        path = self.folder / (stem if kind == "labels" else f"{stem}.{kind}")
        number = 1
        while path.exists():
            number += 1
            path = self.folder / f"{stem}-{number}{path.suffix}"
        return path, EXPORTS[kind](self.history, path, **self._filter())

    def _filter(self) -> dict[str, Any]:
        return {"status": self.status, "text": self.text or None}


def decode(data: bytes | None) -> Pixels | None:
    """Return a JPEG as uint8 RGB (H, W, 3), None for None or a damaged one."""
    try:
        return None if data is None else load_image(data)
    except ImageError:  # the verdict is there to be looked at all the same
        return None
