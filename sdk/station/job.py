"""Inspection jobs: the required texts of a product, one TOML file per job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.errors import JobError, OptionError
from sdk.files import write_atomically
from sdk.region import Region, Shares
from sdk.station.rules import RULES, Rule
from sdk.station.tables import build, dump_toml, parse_toml, read_text, to_table

__all__ = ["Job", "load_job", "load_jobs", "save_job"]


@dataclass(frozen=True, slots=True)
class Job:
    """The required texts of a product.

    Attributes:
        name: Unique name of the job.
        description: Any text for the operators.
        lines: Required number of lines: a number, or the least and the largest number. None accepts
            any number except 0.
        region: Inspected part of the picture: x, y, width, height as shares of the picture, 0..1.
            None inspects the whole picture.
        min_confidence: Lines with a lower confidence are doubtful, 0..1. Lines below half of this
            value are ignored as dirt.
        rules: Rules that the lines must meet.
        model: Bundle that reads the region: the name of an installed bundle, or a folder relative
            to the job's file. Empty for the station's bundle.
    """

    name: str
    description: str = ""
    lines: int | tuple[int, int] | None = None
    region: Shares | None = None
    min_confidence: float = 0.5
    rules: tuple[Rule, ...] = ()
    model: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        if not self.name.strip() or not self.name.isprintable():
            raise JobError(f"name is {self.name!r}. Give the product a name on one line.")
        if not 0 <= self.min_confidence <= 1:
            raise JobError(f"min_confidence is {self.min_confidence!r}. Give a number from 0 to 1.")
        if self.line_range is not None and not 1 <= self.line_range[0] <= self.line_range[1]:
            raise JobError(
                f"lines is {self.lines!r}. Give a number from 1, or the least and largest number."
            )
        if self.region is not None:
            try:
                Region.of(self.region)
            except OptionError as error:
                raise JobError(str(error)) from error

    @property
    def line_range(self) -> tuple[int, int] | None:
        """The least and the largest number of lines, or None for any number."""
        return (self.lines, self.lines) if isinstance(self.lines, int) else self.lines

    @property
    def noise_confidence(self) -> float:
        """Lines with a lower confidence are ignored, 0..1."""
        return self.min_confidence / 2

    @classmethod
    def from_toml(cls, text: str, source: str = "the job") -> Job:
        """Return the job in a TOML document.

        Args:
            text: The document.
            source: Name of the document in messages.

        Raises:
            JobError: The text is not TOML, a key is unknown or missing, or a value is not legal.
        """
        table = parse_toml(text, source)
        rules = table.pop("rules", [])
        if not isinstance(rules, list):
            raise JobError(f"{source}, rules is {rules!r}. Write each rule under [[rules]].")
        made = tuple(_to_rule(rule, f"{source}, rule {i}") for i, rule in enumerate(rules, 1))
        return build(cls, table, source, rules=made)

    def to_toml(self) -> str:
        """Return the job as a TOML document for `from_toml`."""
        table = to_table(self)
        table["rules"] = [{"kind": rule.kind, **to_table(rule)} for rule in self.rules]
        return dump_toml({key: value for key, value in table.items() if value != []})


def _to_rule(table: object, where: str) -> Rule:
    kind = table.get("kind") if isinstance(table, Mapping) else None
    if not isinstance(kind, str) or kind not in RULES:
        raise JobError(f"{where}, kind is {kind!r}. Give one of {', '.join(RULES)}.")
    assert isinstance(table, Mapping)
    values: dict[str, Any] = {key: value for key, value in table.items() if key != "kind"}
    return build(RULES[kind], values, f"{where} ({kind})")


def load_job(path: str | os.PathLike[str]) -> Job:
    """Return the job in a TOML file.

    Raises:
        JobError: The file cannot be read, or `Job.from_toml` fails.
    """
    return Job.from_toml(read_text(Path(path)), str(path))


def load_jobs(folder: str | os.PathLike[str]) -> dict[str, Job]:
    """Return the jobs of the ``.toml`` files of a folder by name, in alphabetical order.

    Raises:
        JobError: The folder is missing, a file is not a job, or two jobs have the same name.
    """
    if not Path(folder).is_dir():
        raise JobError(f"There is no folder {folder}. Create it, or name the folder with the jobs.")
    files: dict[str, Path] = {}
    jobs: dict[str, Job] = {}
    for path in sorted(Path(folder).glob("*.toml")):
        job = load_job(path)
        if job.name in jobs:
            raise JobError(
                f"Two jobs are called {job.name!r}: {files[job.name]} and {path}. Rename one job."
            )
        jobs[job.name], files[job.name] = job, path
    return {name: jobs[name] for name in sorted(jobs)}


def save_job(job: Job, path: str | os.PathLike[str]) -> None:
    """Write a job to a TOML file, completely or not at all.

    Raises:
        SdkError: The folder is missing or not writable, or the disk is full.
    """
    write_atomically(path, job.to_toml().encode())
