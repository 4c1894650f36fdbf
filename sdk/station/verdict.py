"""The verdict of an inspection on one product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sdk.errors import SdkError
from sdk.region import Shares
from sdk.results import Reading

__all__ = ["LATEST", "STATUSES", "RuleResult", "Status", "Verdict"]

Status = Literal["ok", "ng", "unreadable"]
STATUSES: tuple[Status, ...] = ("ok", "ng", "unreadable")

LATEST = 253_000_000_000.0
"""Upper bound of times, Unix seconds. Later times may be beyond the calendar's last year, 9999."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result of one rule.

    Attributes:
        rule: Kind of the rule, such as "date".
        ok: Whether the rule is met. None if this could not be read.
        reason: Reason of the result, in words.
        line: Index of the decisive line in the reading, or None.
    """

    rule: str
    ok: bool | None
    reason: str
    line: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {"rule": self.rule, "ok": self.ok, "reason": self.reason, "line": self.line}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RuleResult:
        """Rebuild a result from `to_dict`.

        Raises:
            ValueError: A value has the wrong type.
            TypeError: A key is missing or unknown.
        """
        result = cls(**data)
        if not (
            isinstance(result.rule, str)
            and isinstance(result.reason, str)
            and (result.ok is None or isinstance(result.ok, bool))
            and (result.line is None or type(result.line) is int)
        ):
            raise ValueError(f"a result is {data!r}")
        return result


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of an inspection on one product.

    Attributes:
        status: "ok", "ng" or "unreadable".
        job: Name of the job.
        time: Time of the inspection, Unix seconds.
        results: Results of the rules, the number of lines first.
        reading: Reading of the product, in pixels of the whole picture.
        region: Inspected part of the picture, or None for the whole picture.
    """

    status: Status
    job: str
    time: float
    results: tuple[RuleResult, ...]
    reading: Reading
    region: Shares | None = None

    @property
    def reasons(self) -> list[str]:
        """Reasons why the product is not OK. Empty for an OK product."""
        return [result.reason for result in self.results if result.ok is not True]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers, ready for JSON."""
        return {
            "status": self.status,
            "job": self.job,
            "time": self.time,
            "text": self.reading.text,
            "reasons": self.reasons,
            "results": [result.to_dict() for result in self.results],
            "region": None if self.region is None else list(self.region),
            "reading": self.reading.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Rebuild a verdict from `to_dict`.

        Raises:
            SdkError: A key is missing or a value has the wrong type.
        """
        try:
            if data["status"] not in STATUSES:
                raise ValueError(f"status is {data['status']!r}")
            region, time = data["region"], float(data["time"])
            if not 0 <= time < LATEST:
                raise ValueError(f"time is {time!r}")
            if region is not None:
                x, y, width, height = map(float, region)
                region = x, y, width, height
            return cls(
                status=data["status"],
                job=str(data["job"]),
                time=time,
                results=tuple(map(RuleResult.from_dict, data["results"])),
                reading=Reading.from_dict(data["reading"]),
                region=region,
            )
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
            if isinstance(error, SdkError):
                raise
            raise SdkError(
                f"Cannot read a Verdict: {error!r}. Pass what to_dict() returned."
            ) from error
