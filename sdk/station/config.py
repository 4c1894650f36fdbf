"""All settings of a station without a screen, in one TOML file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from sdk.engine import MAX_THREADS
from sdk.errors import JobError
from sdk.files import write_atomically
from sdk.live.tracker import MAX_VOTE
from sdk.station.history.history import PICTURES
from sdk.station.job import Job, load_jobs
from sdk.station.outputs import OutputSettings
from sdk.station.outputs.outputs import read_settings
from sdk.station.tables import build, dump_toml, parse_toml, read_text, to_table

__all__ = ["StationConfig", "choose_job", "load_config", "save_config"]


@dataclass(frozen=True, slots=True)
class StationConfig:
    """Settings of a station.

    Relative paths of jobs, model and history start at the folder of the configuration file.

    Attributes:
        camera: Source of frames, see `sdk.live.camera.source`.
        jobs: Folder of the jobs.
        job: Name of the first job. Empty if the folder holds a single job.
        every: Least time between two readings, in seconds.
        vote: Number of frames that must agree before a reading is settled.
        model: Folder of a model bundle. Empty for the packaged bundle.
        device: Device of the model.
        threads: CPU threads. 0 uses the available cores, at most 4.
        history: File of the history. Empty for no history.
        pictures: Verdicts whose full pictures are kept: "none", "ng" (and unreadable) or "all".
        quota_mb: Largest size of all pictures in megabytes.
        outputs: Settings of the outputs that receive the verdicts.
    """

    camera: str = "0"
    jobs: str = "jobs"
    job: str = ""
    every: float = 0.0
    vote: int = 3
    model: str = ""
    device: str = "auto"
    threads: int = 0
    history: str = "history.db"
    pictures: str = "ng"
    quota_mb: float = 500.0
    outputs: tuple[OutputSettings, ...] = field(default=())

    def __post_init__(self) -> None:
        """Check the values that no other code checks at the start.

        Raises:
            JobError: A value is not legal.
        """
        for name, good, wanted in (
            ("every", 0 <= self.every <= 86_400, "seconds from 0 to 86400"),
            ("vote", 1 <= self.vote <= MAX_VOTE, f"a whole number from 1 to {MAX_VOTE}"),
            (
                "threads",
                0 <= self.threads <= MAX_THREADS,
                f"a number of threads from 1 to {MAX_THREADS}, or 0",
            ),
            ("pictures", self.pictures in PICTURES, f"one of {', '.join(PICTURES)}"),
            ("quota_mb", 0 < self.quota_mb <= 1e9, "megabytes above 0, up to 1e9"),
        ):
            if not good:
                raise JobError(f"{name} is {getattr(self, name)!r}. Give {wanted}.")

    @classmethod
    def from_toml(cls, text: str, source: str = "the configuration") -> StationConfig:
        """Return the configuration in a TOML document.

        Args:
            text: The document.
            source: Name of the document in messages.

        Raises:
            JobError: The text is not TOML, a key is unknown, or a value is not legal.
        """
        table = parse_toml(text, source)
        outputs = table.pop("outputs", [])
        if not isinstance(outputs, list):
            raise JobError(f"{source}, outputs is {outputs!r}. Write each under [[outputs]].")
        made = tuple(read_settings(t, f"{source}, output {i}") for i, t in enumerate(outputs, 1))
        return build(cls, table, source, outputs=made)

    def to_toml(self) -> str:
        """Return the configuration as a TOML document for `from_toml`."""
        table = to_table(self)
        if self.outputs:
            table["outputs"] = [{"kind": one.kind, **to_table(one)} for one in self.outputs]
        return dump_toml(table)


def load_config(path: str | os.PathLike[str]) -> StationConfig:
    """Return the configuration in a TOML file.

    Raises:
        JobError: The file cannot be read, or `StationConfig.from_toml` fails.
    """
    return StationConfig.from_toml(read_text(Path(path)), str(path))


def save_config(config: StationConfig, path: str | os.PathLike[str]) -> None:
    """Write a configuration to a TOML file, completely or not at all.

    Raises:
        SdkError: The folder is missing or not writable, or the disk is full.
    """
    write_atomically(path, config.to_toml().encode())


def choose_job(config: StationConfig, folder: Path) -> Job:
    """Return the first job of a configuration.

    Args:
        config: The configuration.
        folder: Start of the configuration's relative paths.

    Raises:
        JobError: The jobs cannot be loaded, no job has this name, or the configuration names no job
            and the folder holds several.
    """
    jobs = load_jobs(folder / config.jobs)
    if config.job in jobs:
        return jobs[config.job]
    if not config.job and len(jobs) == 1:
        return next(iter(jobs.values()))
    known = ", ".join(jobs) or "none"
    raise JobError(
        f"The job {config.job!r} is not in {folder / config.jobs}; there are: {known}. "
        "Name one of them as job, or add its file."
    )
