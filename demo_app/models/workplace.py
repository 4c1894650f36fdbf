"""The workplace: reader, camera, job, history and settings for all screens."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo_app.language import tr
from demo_app.models import check
from demo_app.models.background import Background
from demo_app.models.history import HistoryModel
from demo_app.models.jobs import MODELS, Entry, JobsModel
from demo_app.models.live import LiveModel
from demo_app.models.settings import DEMO, SAMPLES, Settings, save_settings
from demo_app.models.shift import Shift, begin_shift, load_shift
from demo_app.models.specialist import Plan, SpecialistModel
from demo_app.models.still import Photo, StillModel
from sdk import Reader, SdkError
from sdk.errors import JobError
from sdk.live.camera import make_camera, mask_password
from sdk.station import History, Job, JobReaders, Outputs, Station, judge, load_job
from sdk.station.config import StationConfig

__all__ = ["OutputRow", "Workplace"]

_NO_COUNTS = {"ok": 0, "ng": 0, "unreadable": 0}


@dataclass(frozen=True, slots=True)
class OutputRow:
    """An output to the plant, with the counts of its verdicts."""

    name: str
    sent: int
    failed: int
    dropped: int
    error: str


class Workplace:
    """All parts of the station except the screens.

    Attributes:
        settings: The current settings.
        warnings: Errors at the start that did not prevent it.
    """

    def __init__(
        self, folder: Path, settings: Settings, post: Callable[[Callable[[], None]], None]
    ) -> None:
        """Open reader, history and outputs.

        Args:
            folder: Folder of settings, jobs, history and exports.
            settings: Settings of the user.
            post: Calls a function in the screen's thread, soon.

        Raises:
            SdkError: Neither the selected nor the packaged model can be opened, or the history
                cannot be opened.
        """
        self.folder = folder
        self.settings = settings
        self.warnings: list[str] = []
        self.jobs = JobsModel(folder / settings.station.jobs)
        _bring_demo_job(self.jobs.folder)
        self._readers = self._open_readers()
        self._history = self._open_history(settings.station)
        self._outputs = self._open_outputs()
        self._station: Station | None = None
        self._is_started = False
        self.background = Background(post)
        self.live = LiveModel(self._load_shift())
        self.still = StillModel(lambda picture: self._still_reader().read(picture))
        self.history = HistoryModel(self._history, folder / "exports")
        self.specialist = SpecialistModel(folder / "specialist")

    @property
    def job(self) -> Job:
        """The current job. Before the first job exists, a job that accepts any text."""
        return self.jobs.find(self.settings.station.job) or Job(tr("Any text"))

    @property
    def job_name(self) -> str:
        """Name of the current job."""
        return self.job.name

    @property
    def camera_name(self) -> str:
        """Name of the camera on the screen, with a masked password."""
        camera = self.settings.station.camera
        return tr("Sample pictures") if camera == DEMO else mask_password(camera)

    @property
    def photo_folder(self) -> Path:
        """First folder of the dialog for photos."""
        return SAMPLES if self.settings.station.camera == DEMO else Path.home()

    @property
    def running(self) -> bool:
        """Whether pictures are read: started, not paused, and not at the end of the source."""
        return self._is_started and self._station is not None and self._station.alive

    @property
    def counters(self) -> dict[str, int]:
        """Counts of verdicts and losses since the start, see `Station.counters`."""
        return dict(_NO_COUNTS) if self._station is None else self._station.counters

    def start(self) -> None:
        """Start to read and judge.

        Raises:
            SdkError: The camera's source cannot be used.
        """
        station = self._ready_station()
        station.resume()
        station.start()
        self._is_started = True

    def pause(self) -> None:
        """Stop reading until `start`."""
        if self._station is not None:
            self._station.pause()
        self._is_started = False

    def single_shot(self) -> None:
        """Read and judge one picture, also during a pause.

        Raises:
            SdkError: The camera's source cannot be used, or cannot be triggered.
        """
        station = self._ready_station()
        if not self._is_started:
            station.pause()
        station.start()
        station.single_shot()

    def begin_shift(self) -> None:
        """Count products from 0 again. The history keeps all verdicts.

        Raises:
            SdkError: The start of the shift cannot be written.
        """
        self.live.begin_shift(begin_shift(self.folder))

    def choose_job(self, name: str) -> None:
        """Change the current job, and save this setting.

        Raises:
            JobError: There is no such job, or its model cannot be used.
            SdkError: The settings cannot be written.
        """
        self._readers.of(self._job_named(name))
        self.settings = self.settings.changed(job=name)
        self._use_job()
        save_settings(self.settings, self.folder)

    def take_job(self, word: str) -> None:
        """Change the current job to a job given by name or file. A file is copied to the jobs.

        Raises:
            SdkError: There is no such job, or the file is not a job.
        """
        if word.endswith(".toml"):
            self.jobs.take(Path(word))
            word = load_job(word).name
        self.choose_job(word)

    def teach(self) -> None:
        """Make a draft of a job from the newest reading.

        Raises:
            JobError: No picture was read yet, or no text was found in the picture.
        """
        latest = self.live.latest
        if latest is None or not latest[1].lines:
            raise JobError(tr("No text is read. Put a good product before the camera first."))
        self.jobs.teach(latest[1])

    def save_job(self) -> None:
        """Save the draft and make it the current job.

        Raises:
            SdkError: As `JobsModel.save`, or the job's model cannot be used. Nothing is saved then.
        """
        if self.jobs.draft is not None:
            self._readers.of(self.jobs.draft.to_job())
        self.choose_job(self.jobs.save().name)

    def delete_job(self, entry: Entry) -> None:
        """Remove a job. If it was the current job, any text is accepted afterwards.

        Raises:
            SdkError: The file cannot be removed.
        """
        self.jobs.delete(entry)
        self._use_job()

    def plan_specialist(self, name: str) -> Plan:
        """Return what the training of a reader for a job has to work with.

        Raises:
            SdkError: There is no such job, or `SpecialistModel.plan` fails.
        """
        return self.specialist.plan(self._job_named(name), self._history)

    def start_specialist(self, name: str, minutes: float) -> None:
        """Start to train a reader for a job.

        Raises:
            SdkError: There is no such job, or `SpecialistModel.start` fails.
        """
        self.specialist.start(self._job_named(name), self._history, minutes)

    def take_specialist(self) -> Job:
        """Let the job of the training be read by the new reader, and return the job.

        Raises:
            SdkError: The job was removed, the reader cannot be used, or a file cannot be written.
        """
        job = self._job_named(self.specialist.job_name)
        bundle = self.specialist.move_to(self.folder / MODELS)
        self._readers.of(job.read_by(self.jobs.word_for(bundle)))
        job = self.jobs.set_model(job.name, bundle)
        if job.name == self.job_name:
            self._use_job()
        return job

    def keep_photo(self, photo: Photo, text: str) -> int:
        """Record a photo and its corrected text in the history, and return its id.

        Args:
            photo: The photo, because the screen may already show another photo.
            text: Corrected text, line by line.

        Raises:
            SdkError: The history cannot be written.
        """
        if photo.record is None:
            photo.record = self._history.add(judge(self.job, photo.reading), photo.picture)
        self._history.correct(photo.record, text)
        return photo.record

    def apply(self, settings: Settings) -> None:
        """Apply and save other settings. After an error the old settings remain.

        Raises:
            SdkError: Camera, model or device cannot be used, or the settings cannot be written.
        """
        old, new = self.settings.station, settings.station
        was_started = self._is_started
        if old.camera != new.camera:
            make_camera(new.camera)  # raises if there is no such camera
        new_readers = None
        if _reading(old) != _reading(new):
            new_readers = JobReaders(new, self.folder)
        save_settings(settings, self.folder)
        self.settings = settings
        if old == new:
            return
        self._stop_station()
        self.live.reset()
        if new_readers is not None:
            self._readers.close()
            self._readers = new_readers
        if (old.pictures, old.quota_mb) != (new.pictures, new.quota_mb):
            self._history.close()
            self._history = self._open_history(new)
            self.history = HistoryModel(self._history, self.history.folder)
        if was_started:
            self.start()

    def facts(self) -> list[tuple[str, str]]:
        """Return the facts on the station, as names and values."""
        return check.facts(self._readers.default)

    def self_check(self) -> list[check.Check]:
        """Check the parts of the station, which takes about a second."""
        view = self.live.view
        return check.self_check(
            self._readers.default, self.folder, self.history.count, (view.state, view.message)
        )

    def outputs(self) -> list[OutputRow]:
        """Return the outputs to the plant, with their counts."""
        return [
            OutputRow(name, row["sent"], row["failed"], row["dropped"], row["last_error"] or "")
            for name, row in self._outputs.counts().items()
        ]

    def losses(self) -> str:
        """Return the losses since the start in words, "" without losses."""
        lost = {tr("history"): self.counters.get("lost_history", 0)}
        lost |= {row.name: row.failed + row.dropped for row in self.outputs()}
        return ", ".join(
            tr("{name}: {count} lost").format(name=name, count=count)
            for name, count in lost.items()
            if count
        )

    def close(self) -> None:
        """Stop reading, finish the current work, and close all parts.

        A second call has no effect.
        """
        self._stop_station()
        self.specialist.close()
        self.background.close()
        self._outputs.close()
        self._history.close()
        self._readers.close()

    def _still_reader(self) -> Reader:
        """Return the reader of whole pictures: the job's, if one reads all its fields."""
        readers = set(self._readers.of(self.job))
        return readers.pop() if len(readers) == 1 else self._readers.default

    def _job_named(self, name: str) -> Job:
        job = self.jobs.find(name)
        if job is None:
            raise JobError(tr("There is no job {name!r}.").format(name=name))
        return job

    def _ready_station(self) -> Station:
        if self._station is None:
            config = self.settings.station
            self._station = Station(
                self._readers,
                config.camera,
                self.job,
                history=self._history,
                outputs=self._outputs,
                every=config.every,
                vote=config.vote,
                on_frame=self.live.on_frame,
                on_state=self.live.on_state,
            )
        return self._station

    def _stop_station(self) -> None:
        if self._station is not None:
            self._station.stop()
        self._station, self._is_started = None, False

    def _use_job(self) -> None:
        if self._station is not None:
            self._station.job = self.job

    def _open_readers(self) -> JobReaders:
        config = self.settings.station
        try:
            return JobReaders(config, self.folder)
        except SdkError as error:
            # a station with wrong settings must start, so that the settings can be corrected
            self.warnings.append(str(error))
            return JobReaders(StationConfig(jobs=config.jobs), self.folder)

    def _open_history(self, config: StationConfig) -> History:
        path = self.folder / (config.history or "history.db")
        return History(path, pictures=config.pictures, quota_mb=config.quota_mb)

    def _load_shift(self) -> Shift:
        try:
            return load_shift(self.folder, self._history)
        except SdkError as error:
            # the station must inspect products even if the counts are lost
            self.warnings.append(str(error))
            return Shift(time.time())

    def _open_outputs(self) -> Outputs:
        try:
            return Outputs(self.settings.station.outputs)
        except SdkError as error:
            self.warnings.append(str(error))
            return Outputs()


def _reading(config: StationConfig) -> tuple[object, ...]:
    """Return the settings of the readers."""
    return config.model, config.device, config.threads, config.jobs


def _bring_demo_job(folder: Path) -> None:
    """Put the job of the sample pictures into a new folder of jobs."""
    if not folder.exists():
        folder.mkdir(parents=True)
        shutil.copy(SAMPLES / "steripad.toml", folder)
