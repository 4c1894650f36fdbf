"""Filters of records, as SQL conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sdk.errors import OptionError
from sdk.station.verdict import STATUSES

__all__ = ["Filter"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that records must meet. None sets no condition.

    Attributes:
        text: Text that occurs in the reading or the correction, in upper or lower case.
        status: "ok", "ng" or "unreadable".
        job: Name of the job.
        since: First time, Unix seconds, inclusive.
        until: Last time, Unix seconds, exclusive.
        corrected: Whether the record has a correction.
    """

    text: str | None = None
    status: str | None = None
    job: str | None = None
    since: float | None = None
    until: float | None = None
    corrected: bool | None = None

    def __post_init__(self) -> None:
        """Check the status.

        Raises:
            OptionError: The status is not legal.
        """
        if self.status is not None and self.status not in STATUSES:
            raise OptionError(f"status is {self.status!r}. Give one of {', '.join(STATUSES)}.")

    def sql(self) -> tuple[str, list[Any]]:
        """Return a WHERE clause, empty without conditions, and its values."""
        parts: list[str] = []
        values: list[Any] = []
        if self.text:
            escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            parts.append("(text LIKE ? ESCAPE '\\' OR correction LIKE ? ESCAPE '\\')")
            values += [f"%{escaped}%"] * 2
        for condition, value in (
            ("status = ?", self.status),
            ("job = ?", self.job),
            ("time >= ?", self.since),
            ("time < ?", self.until),
        ):
            if value is not None:
                parts.append(condition)
                values.append(value)
        if self.corrected is not None:
            parts.append(f"correction IS {'NOT ' if self.corrected else ''}NULL")
        return (f"WHERE {' AND '.join(parts)}" if parts else ""), values
