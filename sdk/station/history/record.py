"""What a history holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sdk.station.verdict import Verdict

__all__ = ["Record", "Statistic"]


@dataclass(frozen=True, slots=True)
class Record:
    """One verdict in the history.

    Attributes:
        id: Its number; later verdicts have higher ones.
        verdict: The verdict.
        correction: What a person says the product reads, lines separated by newlines; None if
            nobody has corrected it.
        has_picture: Whether the full picture is kept.
    """

    id: int
    verdict: Verdict
    correction: str | None
    has_picture: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers, ready for JSON."""
        return {
            "id": self.id,
            "correction": self.correction,
            "has_picture": self.has_picture,
            **self.verdict.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Statistic:
    """How many verdicts there were of each kind.

    Attributes:
        key: The hour in local time, such as "2026-11-21 14:00", or the job's name.
        ok: Number of OK products.
        ng: Number of NG products.
        unreadable: Number of products not readable.
    """

    key: str
    ok: int
    ng: int
    unreadable: int

    @property
    def total(self) -> int:
        """Number of products."""
        return self.ok + self.ng + self.unreadable
