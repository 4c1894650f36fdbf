"""Which records are meant: filters as SQL conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sdk.errors import OptionError
from sdk.station.verdict import STATUSES

__all__ = ["Filter"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that records must meet; None asks for nothing.

    Attributes:
        text: Text that occurs in what was read or in the correction, in any case.
        status: "ok", "ng" or "unreadable".
        job: Name of the job.
        since: Least time, Unix seconds.
        until: Time that is no longer meant, Unix seconds.
        corrected: Whether there is a correction.
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
            OptionError: It is none.
        """
        if self.status is not None and self.status not in STATUSES:
            raise OptionError(f"status is {self.status!r}. Give one of {', '.join(STATUSES)}.")

    def sql(self) -> tuple[str, list[Any]]:
        """Return a WHERE clause, empty for no conditions, and its values."""
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
