"""The workplace: reader, camera, job, history and settings, as the screens use them together."""

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
from demo_app.models.jobs import Entry, JobsModel
from demo_app.models.live import LiveModel
from demo_app.models.settings import DEMO, SAMPLES, Settings, save_settings
from demo_app.models.shift import Shift, begin_shift, load_shift
from demo_app.models.still import Photo, StillModel
from sdk import Reader, SdkError
from sdk.errors import JobError
from sdk.live.camera import make_camera, mask_password
from sdk.station import History, Job, Outputs, Station, judge, load_job
from sdk.station.config import StationConfig

__all__ = ["OutputRow", "Workplace"]

_NO_COUNTS = {"ok": 0, "ng": 0, "unreadable": 0}


@dataclass(frozen=True, slots=True)
class OutputRow:
    """An output to the plant, and what became of its verdicts."""

    name: str
    sent: int
    failed: int
    dropped: int
    error: str


class Workplace:
    """Everything of the station that is not screen.

    Attributes:
        settings: In use.
        warnings: What went wrong at the start but did not stop it.
    """

    def __init__(
        self, folder: Path, settings: Settings, post: Callable[[Callable[[], None]], None]
    ) -> None:
        """Open reader, history and outputs.

        Args:
            folder: Where settings, jobs, history and exports lie.
            settings: What the user chose.
            post: Calls a function in the screen's thread, soon.

        Raises:
            SdkError: Not even the packaged model can be opened, or the history cannot.
        """
        self.folder = folder
        self.settings = settings
        self.warnings: list[str] = []
        self.jobs = JobsModel(folder / settings.station.jobs)
        _bring_demo_job(self.jobs.folder)
        self._reader = self._open_reader()
        self._history = self._open_history(settings.station)
        self._outputs = self._open_outputs()
        self._station: Station | None = None
        self._is_started = False
        self.background = Background(post)
        self.live = LiveModel(self._load_shift())
        self.still = StillModel(lambda picture: self._reader.read(picture))
        self.history = HistoryModel(self._history, folder / "exports")

    @property
    def job(self) -> Job:
        """The job that products are inspected for; any text will do before one is made."""
        return self.jobs.find(self.settings.station.job) or Job(tr("Any text"))

    @property
    def job_name(self) -> str:
        """The name of the job in use."""
        return self.job.name

    @property
    def camera_name(self) -> str:
        """What the camera is called on screen, without its password."""
        camera = self.settings.station.camera
        return tr("Sample pictures") if camera == DEMO else mask_password(camera)

    @property
    def photo_folder(self) -> Path:
        """Where the search for a photo begins."""
        return SAMPLES if self.settings.station.camera == DEMO else Path.home()

    @property
    def running(self) -> bool:
        """Whether pictures are read: it was started, not paused since, and there are more."""
        return self._is_started and self._station is not None and self._station.alive

    @property
    def counters(self) -> dict[str, int]:
        """How many products there were of each verdict since the start, and what was lost."""
        return dict(_NO_COUNTS) if self._station is None else self._station.counters

    def start(self) -> None:
        """Read and judge from now on.

        Raises:
            SdkError: The camera's source cannot be used.
        """
        station = self._ready_station()
        station.resume()
        station.start()
        self._is_started = True

    def pause(self) -> None:
        """Read no more until `start`."""
        if self._station is not None:
            self._station.pause()
        self._is_started = False

    def single_shot(self) -> None:
        """Read and judge one picture, also while paused.

        Raises:
            SdkError: The camera's source cannot be used, or cannot be triggered.
        """
        station = self._ready_station()
        if not self._is_started:
            station.pause()
        station.start()
        station.single_shot()

    def begin_shift(self) -> None:
        """Count products from 0 again; the history keeps all verdicts.

        Raises:
            SdkError: The beginning cannot be written down.
        """
        self.live.begin_shift(begin_shift(self.folder))

    def choose_job(self, name: str) -> None:
        """Inspect for another job from now on, and remember it.

        Raises:
            JobError: There is no such job.
            SdkError: The settings cannot be written.
        """
        job = self.jobs.find(name)
        if job is None:
            raise JobError(tr("There is no job {name!r}.").format(name=name))
        self.settings = self.settings.changed(job=name)
        self._use_job()
        save_settings(self.settings, self.folder)

    def take_job(self, word: str) -> None:
        """Inspect for a job given by its name or its file; the file is copied to the others.

        Raises:
            SdkError: There is no such job, or the file is none.
        """
        if word.endswith(".toml"):
            self.jobs.take(Path(word))
            word = load_job(word).name
        self.choose_job(word)

    def teach(self) -> None:
        """Make a draft of a job from the newest reading.

        Raises:
            JobError: Nothing was read yet, or nothing was found in the picture.
        """
        latest = self.live.latest
        if latest is None or not latest[1].lines:
            raise JobError(tr("No text is read. Put a good product before the camera first."))
        self.jobs.teach(latest[1])

    def save_job(self) -> None:
        """Save the job being edited and inspect for it.

        Raises:
            SdkError: As `JobsModel.save`.
        """
        self.choose_job(self.jobs.save().name)

    def delete_job(self, entry: Entry) -> None:
        """Remove a job; products are inspected for any text if it was the one in use.

        Raises:
            SdkError: The file cannot be removed.
        """
        self.jobs.delete(entry)
        self._use_job()

    def keep_photo(self, photo: Photo, text: str) -> int:
        """Put a photo and its corrected text into the history; return its number there.

        Args:
            photo: Which one: meanwhile the screen may show another.
            text: What it really reads, line by line.

        Raises:
            SdkError: The history cannot be written.
        """
        if photo.record is None:
            photo.record = self._history.add(judge(self.job, photo.reading), photo.picture)
        self._history.correct(photo.record, text)
        return photo.record

    def apply(self, settings: Settings) -> None:
        """Use other settings from now on, and remember them; what cannot be used changes nothing.

        Raises:
            SdkError: Camera, model or device cannot be used, or nothing can be written.
        """
        old, new = self.settings.station, settings.station
        was_started = self._is_started
        if old.camera != new.camera:
            make_camera(new.camera)  # raises where there is none
        new_reader = None
        if (old.model, old.device, old.threads) != (new.model, new.device, new.threads):
            new_reader = self._reader_for(new)
        save_settings(settings, self.folder)
        self.settings = settings
        if old == new:
            return
        self._stop_station()
        self.live.reset()
        if new_reader is not None:
            self._reader.close()
            self._reader = new_reader
        if (old.pictures, old.quota_mb) != (new.pictures, new.quota_mb):
            self._history.close()
            self._history = self._open_history(new)
            self.history = HistoryModel(self._history, self.history.folder)
        if was_started:
            self.start()

    def facts(self) -> list[tuple[str, str]]:
        """Return what runs here, name and value."""
        return check.facts(self._reader)

    def self_check(self) -> list[check.Check]:
        """Try the parts of the station; takes about a second."""
        view = self.live.view
        return check.self_check(
            self._reader, self.folder, self.history.count, (view.state, view.message)
        )

    def outputs(self) -> list[OutputRow]:
        """Return the outputs to the plant."""
        return [
            OutputRow(name, row["sent"], row["failed"], row["dropped"], row["last_error"] or "")
            for name, row in self._outputs.counts().items()
        ]

    def losses(self) -> str:
        """Return what was lost since the start, in words; nothing if nothing was."""
        lost = {tr("history"): self.counters.get("lost_history", 0)}
        lost |= {row.name: row.failed + row.dropped for row in self.outputs()}
        return ", ".join(
            tr("{name}: {count} lost").format(name=name, count=count)
            for name, count in lost.items()
            if count
        )

    def close(self) -> None:
        """Stop reading, finish what is under way, and close everything. Twice does nothing."""
        self._stop_station()
        self.background.close()
        self._outputs.close()
        self._history.close()
        self._reader.close()

    def _ready_station(self) -> Station:
        if self._station is None:
            config = self.settings.station
            self._station = Station(
                self._reader,
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

    def _open_reader(self) -> Reader:
        try:
            return self._reader_for(self.settings.station)
        except SdkError as error:
            # a station that was set up wrongly must still start, to be set up again
            self.warnings.append(str(error))
            return Reader()

    def _reader_for(self, config: StationConfig) -> Reader:
        model = self.folder / config.model if config.model else None
        reader = Reader(model, device=config.device, threads=config.threads or None)
        reader.warm_up()
        return reader

    def _open_history(self, config: StationConfig) -> History:
        path = self.folder / (config.history or "history.db")
        return History(path, pictures=config.pictures, quota_mb=config.quota_mb)

    def _load_shift(self) -> Shift:
        try:
            return load_shift(self.folder, self._history)
        except SdkError as error:
            # whatever its numbers are, the products of today must be inspected
            self.warnings.append(str(error))
            return Shift(time.time())

    def _open_outputs(self) -> Outputs:
        try:
            return Outputs(self.settings.station.outputs)
        except SdkError as error:
            self.warnings.append(str(error))
            return Outputs()


def _bring_demo_job(folder: Path) -> None:
    """Put the job of the sample pictures into a new folder of jobs."""
    if not folder.exists():
        folder.mkdir(parents=True)
        shutil.copy(SAMPLES / "steripad.toml", folder)
