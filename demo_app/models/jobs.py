"""The jobs screen: a folder of jobs, and a form for the draft of a job."""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from demo_app.language import tr
from demo_app.models.words import field_name, rule_name
from sdk.errors import JobError, SdkError
from sdk.model.store import find_named, installed
from sdk.region import Shares
from sdk.results import Reading
from sdk.station import Job, load_job, save_job, teach_job
from sdk.station.checkdigits import SCHEMES
from sdk.station.rules import RULES, Rule

__all__ = ["MODELS", "Entry", "JobDraft", "JobsModel", "RuleDraft", "rule_kinds"]

MODELS = "models"
"""Folder of the station's own bundles, beside the jobs."""


def rule_kinds() -> list[tuple[str, str]]:
    """Return the kinds of rules and their names on the screen."""
    return [(kind, rule_name(kind)) for kind in RULES]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the jobs folder: a job, or the error of the file."""

    path: Path
    name: str
    job: Job | None = None
    error: str = ""


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
class JobDraft:
    """A job as a form.

    Attributes:
        lines: Number of lines: "", "3" or "2-4".
        confidence: Least confidence, percent.
        region: x, y, width, height as shares of the picture, or None for the whole picture.
        model: Bundle that reads the region, "" for the station's.
        path: File of the original job. None for a new job.
    """

    name: str = ""
    description: str = ""
    lines: str = ""
    confidence: int = 50
    region: Shares | None = None
    model: str = ""
    rules: list[RuleDraft] = field(default_factory=list)
    path: Path | None = None

    @classmethod
    def of(cls, job: Job, path: Path | None = None) -> JobDraft:
        """Return the form of a job."""
        low, high = job.line_range or (0, 0)
        return cls(
            job.name,
            job.description,
            "" if not high else f"{low}" if low == high else f"{low}-{high}",
            round(100 * job.min_confidence),
            job.region,
            job.model,
            [RuleDraft.of(rule) for rule in job.rules],
            path,
        )

    def to_job(self) -> Job:
        """Return the job.

        Raises:
            JobError: A value is not legal. The message names the rule.
        """
        rules = (_numbered(draft, number) for number, draft in enumerate(self.rules, 1))
        return Job(
            self.name.strip(),
            self.description.strip(),
            self._line_range(),
            self.region,
            self.confidence / 100,
            tuple(rules),
            self.model,
        )

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


class JobsModel:
    """The jobs in a folder.

    Attributes:
        folder: Folder of the jobs, one TOML file each.
        draft: The draft that is being edited, or None.
    """

    def __init__(self, folder: Path) -> None:
        """Start without a draft.

        Args:
            folder: Folder of the jobs.
        """
        self.folder = folder
        self.draft: JobDraft | None = None

    def entries(self) -> list[Entry]:
        """Return the files of the folder by name. Broken files have an error."""
        found = map(_entry, sorted(self.folder.glob("*.toml")))
        return sorted(found, key=lambda entry: entry.name.lower())

    def models(self) -> list[str]:
        """Return the bundles that jobs can name: installed ones, and those beside the jobs."""
        names = installed()
        home = self.folder.parent / MODELS
        own = sorted(path.parent for path in home.glob("*/model.json"))
        known = {folder.resolve() for folder in names.values()}
        return [*names, *(self.word_for(path) for path in own if path.resolve() not in known)]

    def word_for(self, bundle: Path) -> str:
        """Return the word by which a job names a bundle: its name, or its place."""
        found = find_named(bundle.name)
        if found is not None and found.resolve() == bundle.resolve():
            return bundle.name
        return Path(os.path.relpath(bundle, self.folder)).as_posix()

    def find(self, name: str) -> Job | None:
        """Return the job with this name, None if there is none."""
        return next((e.job for e in self.entries() if e.job is not None and e.name == name), None)

    def edit(self, entry: Entry) -> JobDraft:
        """Start to edit a job.

        Raises:
            JobError: The file holds no job.
        """
        if entry.job is None:
            raise JobError(entry.error)
        self.draft = JobDraft.of(entry.job, entry.path)
        return self.draft

    def create(self) -> JobDraft:
        """Start a new job."""
        self.draft = JobDraft(name=self._free_name())
        return self.draft

    def teach(self, reading: Reading) -> JobDraft:
        """Start a new job from the reading of a good product."""
        self.draft = JobDraft.of(teach_job(reading, self._free_name()))
        return self.draft

    def problem(self) -> str:
        """Return why the draft cannot be saved, or ""."""
        if self.draft is None:
            return ""
        try:
            self.draft.to_job()
        except JobError as error:
            return str(error)
        return ""

    def save(self) -> Job:
        """Write the draft to its file, under a new name if the job's name changed.

        Raises:
            JobError: A value is not legal, or another job has the same name.
            SdkError: The file cannot be written.
        """
        if self.draft is None:
            raise JobError(tr("No job is being edited."))
        job = self.draft.to_job()
        for entry in self.entries():
            if entry.name == job.name and entry.path != self.draft.path:
                raise JobError(
                    tr("There is another job {name!r}. Choose another name.").format(name=job.name)
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        old, path = self.draft.path, self._file_for(job.name, self.draft.path)
        save_job(job, path)
        if old is not None and old != path:
            old.unlink(missing_ok=True)
        self.draft.path = path
        return job

    def set_model(self, name: str, bundle: Path) -> Job:
        """Let a job be read by a bundle, and return the job.

        Raises:
            JobError: There is no such job.
            SdkError: The file cannot be written.
        """
        entry = next((e for e in self.entries() if e.job is not None and e.name == name), None)
        if entry is None or entry.job is None:
            raise JobError(tr("There is no job {name!r}.").format(name=name))
        job = dataclasses.replace(entry.job, model=self.word_for(bundle))
        save_job(job, entry.path)
        if self.draft is not None and self.draft.path == entry.path:
            self.draft.model = job.model
        return job

    def take(self, path: Path) -> None:
        """Copy a job's file into the folder. It replaces a job of the same name.

        Raises:
            SdkError: The file holds no job, or cannot be copied.
        """
        job = load_job(path)
        old = next((entry.path for entry in self.entries() if entry.name == job.name), None)
        self.folder.mkdir(parents=True, exist_ok=True)
        save_job(job, old or self._file_for(job.name, None))

    def delete(self, entry: Entry) -> None:
        """Remove a job's file.

        Raises:
            SdkError: The file cannot be removed.
        """
        try:
            entry.path.unlink(missing_ok=True)
        except OSError as error:
            raise SdkError(
                f"Cannot remove {entry.path}: {error.strerror or error}. Check its permissions."
            ) from error
        if self.draft is not None and self.draft.path == entry.path:
            self.draft = None

    def _free_name(self) -> str:
        taken = {entry.name for entry in self.entries()}
        number = 1
        while (name := f"{tr('Product')} {number}") in taken:
            number += 1
        return name

    def _file_for(self, name: str, old: Path | None) -> Path:
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "job"
        path, number = self.folder / f"{stem}.toml", 1
        while path.exists() and path != old:
            number += 1
            path = self.folder / f"{stem}-{number}.toml"
        return path


def _entry(path: Path) -> Entry:
    try:
        job = load_job(path)
    except SdkError as error:
        return Entry(path, path.stem, None, str(error))
    return Entry(path, job.name, job)


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
