"""The records of a history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from sdk.errors import SdkError
from sdk.results import Reading
from sdk.station.verdict import LATEST, STATUSES, RuleResult, Verdict

__all__ = ["Record", "Statistic", "to_record"]


@dataclass(frozen=True, slots=True)
class Record:
    """One verdict in the history.

    Attributes:
        id: Number of the record. Later verdicts have higher numbers.
        verdict: The verdict. For a damaged record, only its status, job and time, with the damage
            as the only result and without a reading.
        correction: Text of the product as corrected by a person, lines separated by newlines. None
            without a correction.
        has_picture: Whether the full picture is kept.
        damage: Reason why the verdict cannot be read. Empty for an intact record.
    """

    id: int
    verdict: Verdict
    correction: str | None
    has_picture: bool
    damage: str = ""

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
    """The number of verdicts of each kind.

    Attributes:
        key: The hour in local time, such as "2026-11-21 14:00", or the name of the job.
        ok: Number of OK products.
        ng: Number of NG products.
        unreadable: Number of unreadable products.
    """

    key: str
    ok: int
    ng: int
    unreadable: int

    @property
    def total(self) -> int:
        """Number of products."""
        return self.ok + self.ng + self.unreadable


def to_record(row: Sequence[Any]) -> Record:
    """Return the record of a row, which a power cut or a worn card may have damaged.

    Args:
        row: id, verdict as JSON in UTF-8 (None if not readable), correction, whether a picture is
            kept, time, job, status, text.
    """
    number, data, correction, has_picture, *columns = row
    correction = None if correction is None else str(correction)
    try:
        if data is None:
            raise ValueError("its place in the file cannot be read")
        plain = json.loads(data.decode(), parse_constant=_refuse)
        return Record(number, Verdict.from_dict(plain), correction, bool(has_picture))
    except (SdkError, ValueError, RecursionError) as error:
        damage = f"Record {number} is damaged: {str(error).rstrip('.')}."
        return Record(number, _rebuilt(damage, *columns), correction, bool(has_picture), damage)


def _rebuilt(damage: str, time: Any, job: Any, status: Any, text: Any) -> Verdict:
    return Verdict(
        status=status if status in STATUSES else "unreadable",
        job=str(job),
        time=time if isinstance(time, float) and 0 <= time < LATEST else 0.0,
        results=(RuleResult("history", None, f"{damage} It read {str(text)!r}."),),
        reading=Reading((), 0, 0),
    )


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it holds {constant}")
