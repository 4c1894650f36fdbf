"""The history screen: listed verdicts, the chosen verdict, corrections and exports."""

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
"""Number of rows on a page of the list."""

# Functions of the exports, by their names, which are also the suffixes of files.
EXPORTS: dict[str, Callable[..., int]] = {
    "csv": History.export_csv,
    "json": History.export_json,
    "zip": History.export_zip,
    "labels": History.export_labels,
}
_HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class HistoryRow:
    """A verdict in the list. `thumbnail` is uint8 RGB (H, W, 3) or None."""

    record: Record
    thumbnail: Pixels | None

    def line_with(self, text: str) -> str:
        """Return the first read or corrected line that holds a text in any case, or ""."""
        lines = f"{self.record.correction or ''}\n{self.record.verdict.reading.text}".splitlines()
        return next((line for line in lines if text.lower() in line.lower()), "")


class HistoryModel:
    """The verdicts that meet the filter, newest first, page by page.

    Attributes:
        status: Status of the listed verdicts. None lists all.
        text: Text that the listed verdicts hold.
        offset: Index of the first listed row.
        chosen: The chosen verdict, or None.
    """

    def __init__(self, history: History, folder: Path) -> None:
        """Start with all verdicts.

        Args:
            history: The history.
            folder: Folder of the exports.
        """
        self.history = history
        self.folder = folder
        self.status: str | None = None
        self.text = ""
        self.offset = 0
        self.chosen: Record | None = None

    def rows(self) -> list[HistoryRow]:
        """Return the current page of verdicts."""
        records = self.history.search(**self._filter(), limit=PAGE, offset=self.offset)
        return [HistoryRow(r, decode(self.history.thumbnail(r.id))) for r in records]

    def count(self) -> int:
        """Return the number of verdicts that meet the filter."""
        return sum(stat.total for stat in self.history.statistics("job", **self._filter()))

    def filter(self, *, status: str | None, text: str) -> None:
        """Set the filter, and go to the newest verdicts."""
        self.status, self.text, self.offset = status, text.strip(), 0

    def turn(self, pages: int) -> None:
        """Go this number of pages to older verdicts, or to newer verdicts if negative."""
        self.offset = max(0, self.offset + pages * PAGE)

    def choose(self, record_id: int | None) -> Record | None:
        """Choose a verdict, or none with None."""
        self.chosen = None if record_id is None else self.history.get(record_id)
        return self.chosen

    def picture(self) -> Pixels | None:
        """Return the full picture of the chosen verdict, or else its thumbnail."""
        if self.chosen is None:
            return None
        picture = decode(self.history.picture(self.chosen.id))
        return decode(self.history.thumbnail(self.chosen.id)) if picture is None else picture

    def correct(self, text: str) -> None:
        """Record the corrected text of the chosen product.

        Raises:
            OptionError: No verdict is chosen.
            HistoryError: The correction cannot be written.
        """
        if self.chosen is None:
            raise OptionError(tr("No verdict is chosen. Tap one first."))
        lines = [line.strip() for line in text.splitlines()]
        self.history.correct(self.chosen.id, "\n".join(line for line in lines if line))
        self.choose(self.chosen.id)

    def by_hour(self) -> list[Statistic]:
        """Return the statistics of the last hours with verdicts, oldest first."""
        since = time.time() - _HOURS * 3600
        return self.history.statistics("hour", since=since)[-_HOURS:]

    def by_job(self) -> list[Statistic]:
        """Return the statistics of each job."""
        return self.history.statistics("job")

    def export(self, kind: str) -> tuple[Path, int]:
        """Export the verdicts that meet the filter, which takes time.

        Args:
            kind: A key of `EXPORTS`.

        Returns:
            The new file or folder, and its number of verdicts.

        Raises:
            SdkError: The verdicts cannot be read, or the export cannot be written.
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
    """Return a JPEG as uint8 RGB (H, W, 3), None for None or a damaged JPEG."""
    try:
        return None if data is None else load_image(data)
    except ImageError:  # the verdict can be shown without its picture
        return None
