"""A reader for one product: trained by `python -m training specialize` in a process of its own.

The folder of the training holds the photos, the log and, at the end, the bundle with its report. A
bundle that was neither taken over nor discarded is still there after a restart of the station.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo_app.language import tr
from sdk.errors import SdkError
from sdk.files import write_atomically
from sdk.station import History, Job, PatternRule, Record, line_pattern
from sdk.station.history.labels import inspected_part

__all__ = ["Plan", "Progress", "Score", "SpecialistModel"]

NEEDED = ("training", "convert", "keras", "tensorflow", "tf_keras", "tensorflow_model_optimization")
"""Modules of a training. A station without them inspects, but cannot train."""

_NEWEST = 5000
_MOST_PHOTOS = 100
_MOST_PATTERNS = 8
_NICENESS = 10
_STOP_S = 60.0
_LOG, _JOB, _PHOTOS, _MADE = "log.txt", "job.json", "photos", "made"
_REPORT = Path("report") / "report.json"
# The pattern of a reading that counts in the report.
_BY_PATTERN = "by the pattern"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training has to work with.

    Attributes:
        photos: Number of pictures of the product.
        corrected: Number of pictures with a corrected text, which the comparison counts.
        patterns: Patterns of the product's lines.
    """

    photos: int
    corrected: int
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Attributes:
        stage: What is done now, in the screen's language.
        message: Last message of the training.
        share: Share of this stage, 0..1.
        seconds: Time since the start.
    """

    stage: str
    message: str
    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Score:
    """Lines of a set that the present and the new reader read right, by the product's pattern.

    Attributes:
        name: Name of the set, in the screen's language.
        lines: Number of lines.
        before: Lines that the packaged reader reads right.
        after: Lines that the new reader reads right.
    """

    name: str
    lines: int
    before: int
    after: int


class SpecialistModel:
    """Starts, watches and ends a training, and shows its result.

    Attributes:
        options: Further options of `python -m training specialize`.
        error: Why the last training failed, "" if it did not.
    """

    def __init__(self, folder: Path) -> None:
        """Find the result of an earlier training.

        Args:
            folder: Folder of the training, which need not exist.
        """
        self.options: Sequence[str] = ()
        self.error = ""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._began = 0.0
        self._minutes = 0.0

    @property
    def state(self) -> str:
        """The state: "running", "failed", "done" (a result waits for a decision) or "idle"."""
        if not self._stopping:
            self._look()
        if self._process is not None:
            return "running"
        if self.error:
            return "failed"
        return "idle" if self._made() is None else "done"

    @property
    def job_name(self) -> str:
        """Name of the job of the training or of its result, "" without one."""
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads((self._folder / _JOB).read_text(encoding="utf-8")))
        return ""

    def plan(self, job: Job, history: History) -> Plan:
        """Return what a training of a job has to work with.

        Raises:
            SdkError: A package is missing, or the history has no picture or no text of the product.
        """
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise SdkError(
                tr(
                    "Training needs packages that this station lacks: {names}. Install them: {how}"
                ).format(names=", ".join(missing), how='pip install "fots-lite[convert]"')
            )
        records = list(_records(job, history))
        if not records:
            raise SdkError(
                tr(
                    "The history has no full picture of {job}. Keep those of all products "
                    "(Settings), inspect some good ones, and try again."
                ).format(job=job.name)
            )
        patterns = _patterns(job, records)
        if not patterns:
            raise SdkError(tr("No line of {job} was read surely.").format(job=job.name))
        corrected = sum(record.correction is not None for record in records)
        return Plan(len(records), corrected, patterns)

    def start(self, job: Job, history: History, minutes: float) -> None:
        """Start a training. A result that waits for a decision is discarded.

        Raises:
            SdkError: As `plan`, a training is running, or a file cannot be written.
        """
        if self.state == "running":
            raise SdkError(tr("A training is running already."))
        plan = self.plan(job, history)
        self.discard()
        photos = self._folder / _PHOTOS
        photos.mkdir(parents=True)
        _write_photos(job, history, photos)
        write_atomically(self._folder / _JOB, json.dumps(job.name).encode())
        command = [
            *(sys.executable, "-m", "training", "specialize", "--photos", str(photos)),
            *(word for pattern in plan.patterns for word in ("--pattern", pattern)),
            *("--out", str(self._folder / _MADE / _slug(job.name))),
            *("--minutes", f"{minutes:g}", "--threads", "1", *self.options),
        ]
        with (self._folder / _LOG).open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if hasattr(os, "setpriority"):
            # the inspection goes first
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICENESS)
        self._began, self._minutes = time.monotonic(), minutes

    def progress(self) -> Progress:
        """Return how far the training is."""
        rows = self._log()
        seconds = time.monotonic() - self._began
        stage, row = next(
            ((stage, row) for row in reversed(rows) for stage in (_stage(row),) if stage),
            ("start", ""),
        )
        counted = re.search(r"(\d+) of (\d+)", row)
        share = int(counted[1]) / max(1, int(counted[2])) if counted else 0.0
        if stage == "training":
            share = self._training_seconds() / (60 * self._minutes)
        message = re.sub(r"^\d\d:\d\d:\d\d ", "", rows[-1]) if rows else ""
        return Progress(_stage_name(stage), message, min(1.0, share), seconds)

    def cancel(self) -> None:
        """End the training. Nothing of it is left."""
        process = self._process
        if process is None or self._stopping:
            return
        self._stopping = True
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.discard()
        self._process, self._stopping = None, False

    def scores(self) -> list[Score]:
        """Return the comparison of the result with the packaged reader.

        Raises:
            SdkError: There is no result, or its report is damaged.
        """
        made = self._made()
        try:
            report = json.loads(((made or self._folder) / _REPORT).read_text(encoding="utf-8"))
            rows = [row for row in report["results"] if row["read"] == _BY_PATTERN]
            by_set: dict[str, list[dict[str, int]]] = {}
            for row in rows:  # the default reader comes first
                by_set.setdefault(row["set"], []).append(row)
            return [
                Score(_set_name(name), new["lines"], old["right"], new["right"])
                for name, (old, new) in by_set.items()
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SdkError(f"The training's report cannot be read: {error}.") from error

    def move_to(self, models: Path) -> Path:
        """Move the result to a folder of bundles, and return its place.

        Raises:
            SdkError: There is no result, or it cannot be moved.
        """
        made = self._made()
        if made is None:
            raise SdkError(tr("There is no new reader."))
        target, number = models / made.name, 1
        while target.exists():
            number += 1
            target = models / f"{made.name}-{number}"
        try:
            models.mkdir(parents=True, exist_ok=True)
            made.rename(target)
        except OSError as error:
            raise SdkError(f"Cannot write {target}: {error.strerror or error}.") from error
        self.discard()
        return target

    def discard(self) -> None:
        """Delete the result, and forget an error."""
        self.error = ""
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """End a training that is running."""
        self.cancel()

    def _look(self) -> None:
        """Notice the end of the process."""
        if self._process is None or self._process.poll() is None:
            return
        code, self._process = self._process.returncode, None
        if code or self._made() is None:
            rows = [row for row in self._log() if row.strip()]
            told = next((row for row in reversed(rows) if row.startswith("error: ")), "")
            last = told.removeprefix("error: ") or (rows[-1] if rows else "")
            self.error = last or f"The training ended with exit code {code}."

    def _made(self) -> Path | None:
        """Return the folder of a complete result."""
        found = sorted((self._folder / _MADE).glob(f"*/{_REPORT.as_posix()}"))
        return found[0].parents[1] if found else None

    def _log(self) -> list[str]:
        try:
            return (self._folder / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    def _training_seconds(self) -> float:
        """Return the time since the training's own start: its run folder has just been written."""
        starts = [p.stat().st_mtime for p in (self._folder / _MADE).glob(".*/tuned/config.toml")]
        return time.time() - min(starts) if starts else 0.0


def _records(job: Job, history: History) -> Iterator[Record]:
    """Yield the newest records of a job that have a full picture."""
    count = 0
    for record in history.records(history.ids(job=job.name)[: -_NEWEST - 1 : -1]):
        if record.has_picture and not record.damage:
            yield record
            count += 1
            if count == _MOST_PHOTOS:
                return


def _patterns(job: Job, records: Sequence[Record]) -> tuple[str, ...]:
    """Return the commonest patterns of lines: rules of the job, or made from texts."""
    counts: Counter[str] = Counter()
    rules = [r.pattern for part in job.parts for r in part.rules if isinstance(r, PatternRule)]
    least = min(part.min_confidence for part in job.parts)
    for record in records:
        if record.correction is not None:
            texts = record.correction.splitlines()
        else:
            lines = record.verdict.reading
            texts = [line.text for line in lines if line.confidence >= least]
        for text in map(str.strip, texts):
            if text:
                own = next((rule for rule in rules if re.fullmatch(rule, text)), None)
                counts[own or line_pattern(text, " ")] += 1
    return tuple(pattern for pattern, _ in counts.most_common(_MOST_PATTERNS))


def _write_photos(job: Job, history: History, folder: Path) -> None:
    """Write the pictures of a job, and labels of those whose text was corrected."""
    history.export_labels(folder, job=job.name)
    for record in _records(job, history):
        picture = history.picture(record.id)
        if picture is not None and record.correction is None:
            part, _, _ = inspected_part(record, picture)
            write_atomically(folder / "images" / f"{record.id}.jpg", part)
    labels = folder / "labels.jsonl"
    if not labels.stat().st_size:
        labels.unlink()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "product"


_STAGES = (
    ("photo ", "photos"),
    ("comparing ", "photos"),
    ("product: ", "lines"),
    ("bound: ", "lines"),
    ("test: ", "lines"),
    ("general: ", "lines"),
    ("others: ", "lines"),
    ("training for ", "training"),
    ("initial: ", "compare"),
    ("converting ", "convert"),
    ("reading ", "compare"),
)


def _stage(row: str) -> str:
    return next((stage for start, stage in _STAGES if row.startswith(start)), "")


def _stage_name(stage: str) -> str:
    return {
        "start": tr("Starting"),
        "photos": tr("Reading the pictures"),
        "lines": tr("Generating lines of the product"),
        "training": tr("Training"),
        "convert": tr("Converting"),
        "compare": tr("Comparing"),
    }[stage]


def _set_name(name: str) -> str:
    names = {
        "generated, held back": tr("Generated lines"),
        "labeled photos": tr("Corrected pictures"),
    }
    return names.get(name, name)
