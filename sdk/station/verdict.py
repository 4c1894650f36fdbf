"""The verdict of an inspection on one product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
        field: Name of the field of the product. Empty in a job without fields.
    """

    rule: str
    ok: bool | None
    reason: str
    line: int | None = None
    field: str = ""

    def after_field(self, text: str) -> str:
        """Return a text about the result after the name of its field, if it has one."""
        return f"{self.field}: {text}" if self.field else text

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "rule": self.rule,
            "ok": self.ok,
            "reason": self.reason,
            "line": self.line,
            "field": self.field,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RuleResult:
        """Rebuild a result from `to_dict`.

        Raises:
            ValueError: A value has the wrong type.
            TypeError: A key is missing or unknown.
        """
        result = cls(**data)
        if not (
            all(isinstance(text, str) for text in (result.rule, result.reason, result.field))
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
        results: Results of the rules, field by field, the number of lines first.
        reading: Reading of the product, in pixels of the whole picture.
        regions: Inspected parts of the picture by the name of their field, which is empty in a job
            without fields. Without any, the whole picture is inspected.
    """

    status: Status
    job: str
    time: float
    results: tuple[RuleResult, ...]
    reading: Reading
    regions: Mapping[str, Shares] = field(default_factory=dict)

    @property
    def region(self) -> Shares | None:
        """The part of the picture around all inspected parts, or None for the whole picture."""
        if not self.regions:
            return None
        if len(self.regions) == 1:  # as it was given, without rounding
            return next(iter(self.regions.values()))
        left, top = (min(region[side] for region in self.regions.values()) for side in (0, 1))
        right, bottom = (
            max(region[side] + region[side + 2] for region in self.regions.values())
            for side in (0, 1)
        )
        return left, top, right - left, bottom - top

    @property
    def reasons(self) -> list[str]:
        """Reasons why the product is not OK, after the name of their field, if it has one.

        Empty for an OK product.
        """
        return [
            result.after_field(result.reason) for result in self.results if result.ok is not True
        ]

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
            "regions": {name: list(region) for name, region in self.regions.items()},
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
            time = float(data["time"])
            if not 0 <= time < LATEST:
                raise ValueError(f"time is {time!r}")
            # a verdict of version 0.2 has at most one region, without a name
            old = {} if data["region"] is None else {"": data["region"]}
            regions = {str(name): _shares(part) for name, part in data.get("regions", old).items()}
            return cls(
                status=data["status"],
                job=str(data["job"]),
                time=time,
                results=tuple(map(RuleResult.from_dict, data["results"])),
                reading=Reading.from_dict(data["reading"]),
                regions=regions,
            )
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
            if isinstance(error, SdkError):
                raise
            raise SdkError(
                f"Cannot read a Verdict: {error!r}. Pass what to_dict() returned."
            ) from error


def _shares(values: Sequence[Any]) -> Shares:
    x, y, width, height = map(float, values)
    return x, y, width, height
