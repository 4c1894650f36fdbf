"""The verdict on a product: OK, NG or unreadable.

A line is sure if its confidence is at least the job's, otherwise doubtful. Sure lines decide, see
`sdk.station.rules`. A product is

- **unreadable** if no text was read, or only doubtful text that breaks a rule, or if no rule is
  certainly broken but a rule, or the number of lines, depends on a doubtful line;
- **NG** if a sure line breaks a rule (for example by a wrong check digit), if a text is missing
  although all lines are sure, or if the number of lines is wrong with and without doubtful lines;
- **OK** if a sure line meets every rule.

A job of several fields judges each of them by its own lines, and the worst of them is the verdict.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sdk.region import Shares
from sdk.results import Reading, TextLine
from sdk.station.field import Field
from sdk.station.job import Job
from sdk.station.rules import NumberedLine, apply_rule, doubt
from sdk.station.verdict import RuleResult, Status, Verdict

__all__ = ["judge"]


def judge(
    job: Job, reading: Reading, today: date | None = None, *, taken: float | None = None
) -> Verdict:
    """Return the verdict on a product.

    Args:
        job: The job. Lines count if their middle is in the region of a field and their confidence
            is at least the field's `noise_confidence`.
        reading: Reading of the product, in pixels of the whole picture.
        today: Reference of dates. None uses the day of `taken`.
        taken: Time of the picture, Unix seconds. None uses the present time.
    """
    taken = time.time() if taken is None else taken
    today = date.fromtimestamp(taken) if today is None else today
    results = tuple(
        replace(result, field=field.name if job.fields else "")
        for field in job.parts
        for result in _judge_field(field, reading, today)
    )
    return Verdict(_status(results), job.name, taken, results, reading, job.regions)


def _judge_field(field: Field, reading: Reading, today: date) -> tuple[RuleResult, ...]:
    lines = [
        (i, line)
        for i, line in enumerate(reading)
        if line.confidence >= field.noise_confidence and _inside(line, reading, field.region)
    ]
    results = _judge_lines(field, lines, today) if lines else ()
    is_sure = any(line.confidence >= field.min_confidence for _, line in lines)
    # smeared print is often read as a few doubtful characters
    if not lines or (not is_sure and _status(results) == "ng"):
        return (RuleResult("lines", None, "no text is read"),)
    return results


def _judge_lines(field: Field, lines: list[NumberedLine], today: date) -> tuple[RuleResult, ...]:
    results = [apply_rule(rule, lines, field.min_confidence, today) for rule in field.rules]
    if field.line_range is not None or not field.rules:
        results.insert(0, _count(field, lines))
    return tuple(results)


def _count(field: Field, lines: list[NumberedLine]) -> RuleResult:
    least, most = field.line_range or (1, len(lines))
    doubtful = [(i, line) for i, line in lines if line.confidence < field.min_confidence]
    sure = len(lines) - len(doubtful)
    if least <= sure <= most:
        return RuleResult("lines", True, f"{_lines(sure)} read")
    if sure < least <= len(lines):
        index, line = doubtful[0]
        return RuleResult("lines", None, doubt(line, field.min_confidence), index)
    wanted = f"{least}" if least == most else f"{least} to {most}"
    return RuleResult("lines", False, f"{_lines(len(lines))} read, {wanted} wanted")


def _lines(count: int) -> str:
    return "1 line is" if count == 1 else f"{count} lines are"


def _inside(line: TextLine, reading: Reading, region: Shares | None) -> bool:
    if region is None:
        return True
    x = sum(point[0] for point in line.quad) / 4 / max(reading.width, 1)
    y = sum(point[1] for point in line.quad) / 4 / max(reading.height, 1)
    return region[0] <= x <= region[0] + region[2] and region[1] <= y <= region[1] + region[3]


def _status(results: Sequence[RuleResult]) -> Status:
    if any(result.ok is False for result in results):
        return "ng"
    return "unreadable" if any(result.ok is None for result in results) else "ok"
