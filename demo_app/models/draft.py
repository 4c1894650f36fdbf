"""The draft of a job: its fields and rules as a form."""

from __future__ import annotations

import dataclasses
import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from demo_app.language import tr
from demo_app.models.words import field_name, rule_name
from sdk.errors import JobError
from sdk.region import Shares
from sdk.station import Field, Job
from sdk.station.checkdigits import SCHEMES
from sdk.station.rules import RULES, Rule

__all__ = ["FieldDraft", "JobDraft", "RuleDraft", "rule_kinds"]


def rule_kinds() -> list[tuple[str, str]]:
    """Return the kinds of rules and their names on the screen."""
    return [(kind, rule_name(kind)) for kind in RULES]


@dataclass(slots=True)
class RuleDraft:
    """A rule as a form, with truth values and texts for all other values.

    Attributes:
        kind: A key of `RULES`.
        values: Values by field name of the rule.
    """

    kind: str
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule) -> RuleDraft:
        """Return the form of a rule."""
        draft = cls(rule.kind)
        for name in draft.fields():
            value = getattr(rule, name)
            if isinstance(value, tuple):
                value = "; ".join(value)
            draft.values[name] = value if isinstance(value, bool) else str(value or "")
        return draft

    @classmethod
    def empty(cls, kind: str) -> RuleDraft:
        """Return the form of a new rule."""
        draft = cls(kind)
        for name, what in draft.fields().items():
            draft.values[name] = False if what is bool else ""
        if kind == "check_digit":
            draft.values["scheme"] = next(iter(SCHEMES))
        return draft

    def fields(self) -> dict[str, Any]:
        """Return the names and types of the rule's fields, in their order."""
        hints = get_type_hints(RULES[self.kind])
        return {f.name: hints[f.name] for f in dataclasses.fields(RULES[self.kind])}

    def choices(self, name: str) -> list[str]:
        """Return the legal texts of a value. An empty list allows any text."""
        return list(SCHEMES) if (self.kind, name) == ("check_digit", "scheme") else []

    def to_rule(self) -> Rule:
        """Return the rule.

        Raises:
            JobError: A value is not legal.
        """
        values: dict[str, Any] = {}
        for name, what in self.fields().items():
            text = self.values[name]
            if what is bool or what is str:
                values[name] = text if what is bool else text.strip()
            elif what == tuple[str, ...]:
                values[name] = tuple(part.strip() for part in text.split(";") if part.strip())
            else:
                values[name] = _to_count(text, field_name(name))
        return RULES[self.kind](**values)


@dataclass(slots=True)
class FieldDraft:
    """A field of a product as a form.

    Attributes:
        name: Name of the field, not shown while the job has no other.
        lines: Number of lines: "", "3" or "2-4".
        confidence: Least confidence, percent.
        region: x, y, width, height as shares of the picture, or None for the whole picture.
        model: Bundle that reads the region, "" for the station's.
        rules: The rules.
        description: Description of the field, kept but not shown.
    """

    name: str = ""
    lines: str = ""
    confidence: int = 50
    region: Shares | None = None
    model: str = ""
    rules: list[RuleDraft] = field(default_factory=list)
    description: str = ""

    @classmethod
    def of(cls, part: Field) -> FieldDraft:
        """Return the form of a field."""
        low, high = part.line_range or (0, 0)
        return cls(
            part.name,
            "" if not high else f"{low}" if low == high else f"{low}-{high}",
            round(100 * part.min_confidence),
            part.region,
            part.model,
            [RuleDraft.of(rule) for rule in part.rules],
            part.description,
        )

    def values(self) -> dict[str, Any]:
        """Return the values of the field, or of a job without fields, by name.

        Raises:
            JobError: A value is not legal. The message names the rule.
        """
        rules = (_numbered(draft, number) for number, draft in enumerate(self.rules, 1))
        return {
            "lines": self._line_range(),
            "region": self.region,
            "min_confidence": self.confidence / 100,
            "rules": tuple(rules),
            "model": self.model,
        }

    def _line_range(self) -> int | tuple[int, int] | None:
        text = self.lines.strip()
        if not text:
            return None
        found = re.fullmatch(r"(\d{1,3})(?:\s*[-–]\s*(\d{1,3}))?", text)  # noqa: RUF001 an en dash
        if found is None:
            raise JobError(
                tr("Number of lines is {text!r}. Give a number, or two as in 2-4.").format(
                    text=text
                )
            )
        low = int(found[1])
        return (low, int(found[2])) if found[2] else low


@dataclass(slots=True)
class JobDraft:
    """A job as a form.

    Attributes:
        fields: The fields of the product, at least one.
        path: File of the original job. None for a new job.
    """

    name: str = ""
    description: str = ""
    fields: list[FieldDraft] = field(default_factory=lambda: [FieldDraft()])
    path: Path | None = None

    @classmethod
    def of(cls, job: Job, path: Path | None = None) -> JobDraft:
        """Return the form of a job."""
        drafts = [FieldDraft.of(part) for part in job.parts]
        if not job.fields:
            drafts[0].name = drafts[0].description = ""
        return cls(job.name, job.description, drafts, path)

    def add_field(self) -> FieldDraft:
        """Add a field with a free name, and return it. A first field without a name gets one."""
        self.fields.append(FieldDraft())
        taken = {draft.name for draft in self.fields}
        names = (f"{tr('Field')} {number}" for number in itertools.count(1))
        free = (name for name in names if name not in taken)
        for draft in self.fields:
            draft.name = draft.name or next(free)
        return self.fields[-1]

    def remove_field(self, draft: FieldDraft) -> None:
        """Remove a field. The last one stays, as the job itself."""
        if len(self.fields) > 1:
            self.fields.remove(draft)
        if len(self.fields) == 1:
            self.fields[0].name = ""

    def to_job(self) -> Job:
        """Return the job.

        Raises:
            JobError: A value is not legal. The message names the field and the rule.
        """
        name, description = self.name.strip(), self.description.strip()
        if len(self.fields) == 1 and not self.fields[0].name:
            return Job(name, description, **self.fields[0].values())
        return Job(name, description, fields=tuple(map(_to_field, self.fields)))


def _to_field(draft: FieldDraft) -> Field:
    try:
        return Field(draft.name.strip(), draft.description, **draft.values())
    except JobError as error:
        raise JobError(f"{tr('Field')} {draft.name!r}: {error}") from error


def _numbered(draft: RuleDraft, number: int) -> Rule:
    try:
        return draft.to_rule()
    except JobError as error:
        raise JobError(f"{rule_name(draft.kind)} ({number}): {error}") from error


def _to_count(text: str, name: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise JobError(tr("{name} is {text!r}. Give a number.").format(name=name, text=text))
    return int(text)
