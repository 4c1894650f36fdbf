"""The jobs screen: a folder of jobs, and the draft of the job that is edited."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from demo_app.language import tr
from demo_app.models.draft import JobDraft
from sdk.errors import JobError, SdkError
from sdk.model.store import find_named, installed
from sdk.results import Reading
from sdk.station import Job, load_job, save_job, teach_job

__all__ = ["MODELS", "Entry", "JobsModel"]

MODELS = "models"
"""Folder of the station's own bundles, beside the jobs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the jobs folder: a job, or the error of the file."""

    path: Path
    name: str
    job: Job | None = None
    error: str = ""


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
        """Let all fields of a job be read by a bundle, and return the job.

        Raises:
            JobError: There is no such job.
            SdkError: The file cannot be written.
        """
        entry = next((e for e in self.entries() if e.job is not None and e.name == name), None)
        if entry is None or entry.job is None:
            raise JobError(tr("There is no job {name!r}.").format(name=name))
        model = self.word_for(bundle)
        job = entry.job.read_by(model)
        save_job(job, entry.path)
        if self.draft is not None and self.draft.path == entry.path:
            for field in self.draft.fields:
                field.model = model
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
