"""Inspection jobs: the required texts of a product, one TOML file per job."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sdk.errors import JobError
from sdk.files import write_atomically
from sdk.region import Shares
from sdk.station.field import Field
from sdk.station.rules import RULES, Rule
from sdk.station.tables import build, dump_toml, parse_toml, read_text, to_table

__all__ = ["Job", "load_job", "load_jobs", "save_job"]

T = TypeVar("T", bound=Field)

# Fields that are drawn side by side may share an edge after rounding, shares of the picture.
_SHARED_EDGE = 0.002


@dataclass(frozen=True, slots=True)
class Job(Field):
    """The required texts of a product: of one field, or of several.

    A job without `fields` is itself the only field. The product is OK if each field is.

    Attributes:
        name: Unique name of the job.
        fields: Fields of the product, whose regions do not overlap. The job then has no region,
            lines, rules, model or confidence of its own.
    """

    fields: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        Field.__post_init__(self)
        if not self.fields:
            return
        own = [key for key in to_table(self) if key not in ("name", "description", "fields")]
        if own:
            raise JobError(
                f"{own[0]} stands beside the fields. Write it into the field that it is about."
            )
        for field in self.fields:
            if field.region is None:
                raise JobError(
                    f"The field {field.name!r} has no region. Draw it, or give x, y, width, "
                    "height as shares of the picture."
                )
        for one, other in itertools.combinations(self.fields, 2):
            if one.name == other.name:
                raise JobError(f"Two fields are called {one.name!r}. Rename one field.")
            if _overlap(one.region, other.region):
                raise JobError(
                    f"The regions of the fields {one.name!r} and {other.name!r} overlap: a line "
                    "could belong to both. Draw them apart."
                )

    @property
    def parts(self) -> tuple[Field, ...]:
        """The fields, or the job itself as the only field."""
        return self.fields or (self,)

    @property
    def regions(self) -> dict[str, Shares]:
        """The inspected parts of the picture by field, "" for the job's own. Empty for all of it.

        Their order is that of the fields.
        """
        return {
            field.name if self.fields else "": field.region
            for field in self.parts
            if field.region is not None
        }

    def read_by(self, model: str) -> Job:
        """Return the job with all its fields read by a bundle, see `model`."""
        if not self.fields:
            return replace(self, model=model)
        return replace(self, fields=tuple(replace(field, model=model) for field in self.fields))

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
        fields = _tables(table, "fields", source)
        made = tuple(_to_field(Field, f, f"{source}, field {i}") for i, f in enumerate(fields, 1))
        return _to_field(cls, table, source, fields=made)

    def to_toml(self) -> str:
        """Return the job as a TOML document for `from_toml`."""
        return dump_toml(_to_plain(self))


def _overlap(one: Shares | None, other: Shares | None) -> bool:
    assert one is not None and other is not None
    return all(
        min(one[side] + one[side + 2], other[side] + other[side + 2]) - max(one[side], other[side])
        > _SHARED_EDGE
        for side in (0, 1)
    )


def _tables(table: Mapping[str, Any], key: str, where: str) -> list[Any]:
    found = table.get(key, [])
    if not isinstance(found, list):
        raise JobError(f"{where}, {key} is {found!r}. Write each of them under [[{key}]].")
    return found


def _to_field(kind: type[T], table: object, where: str, **made: Any) -> T:
    if not isinstance(table, Mapping):
        raise JobError(f"{where} is {table!r}. It must be a table.")
    rules = _tables(table, "rules", where)
    made["rules"] = tuple(_to_rule(rule, f"{where}, rule {i}") for i, rule in enumerate(rules, 1))
    plain = {key: value for key, value in table.items() if key not in made}
    return build(kind, plain, where, **made)


def _to_plain(field: Field) -> dict[str, Any]:
    table = to_table(field)
    if field.rules:
        table["rules"] = [{"kind": rule.kind, **to_table(rule)} for rule in field.rules]
    if "fields" in table:
        table["fields"] = [_to_plain(part) for part in table["fields"]]
    return table


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
