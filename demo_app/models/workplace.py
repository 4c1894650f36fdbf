"""The workplace: reader, camera, job, history and settings, as the screens use them together."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from demo_app.language import tr
from demo_app.models import check
from demo_app.models.background import Background
from demo_app.models.history import HistoryModel
from demo_app.models.jobs import Entry, JobsModel
from demo_app.models.live import LiveModel
from demo_app.models.settings import DEMO, Settings, save_settings
from demo_app.models.still import StillModel
from sdk import Reader, SdkError
from sdk.errors import JobError
from sdk.station import History, Job, Station, judge, load_job

logger = logging.getLogger("demo_app")

SAMPLES = Path(__file__).parent.parent / "samples"
DEMO_JOB = "Steripad"
# The pace of the sample pictures: slow enough to read the screen.
_DEMO_SOURCE = f"{SAMPLES}?loop&fps=0.6"


class Workplace:
    """Everything of the station that is not screen.

    Args:
        folder: Where settings, jobs, history and exports lie.
        settings: What the user chose.
        history: File of the history; None takes the one in the folder.
        post: Calls a function in the screen's thread, soon.

    Attributes:
        warnings: What went wrong at the start but did not stop it.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        history: Path | None = None,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        """Open reader and history.

        Raises:
            SdkError: Not even the packaged model can be opened, or the history cannot.
        """
        self.folder = folder
        self.settings = settings
        self.warnings: list[str] = []
        self.background = Background(post)
        self.jobs = JobsModel(folder / "jobs")
        _bring_demo_job(self.jobs.folder)
        self._reader = self._open_reader()
        self._history = History(
            history or folder / "history.db",
            pictures=settings.pictures,
            quota_mb=settings.quota_mb,
        )
        self.live = LiveModel()
        self.still = StillModel(lambda picture: self._reader.read(picture))
        self.history = HistoryModel(self._history, folder / "exports")
        self._station: Station | None = None
        self.running = False

    @property
    def counters(self) -> dict[str, int]:
        """How many products there were of each verdict since the start, and what was lost."""
        if self._station is None:
            return {"ok": 0, "ng": 0, "unreadable": 0}
        return dict(self._station.counters)

    @property
    def job(self) -> Job:
        """The job that products are inspected for; any text will do before one is made."""
        return self.jobs.find(self.settings.job) or Job(tr("Any text"))

    @property
    def job_name(self) -> str:
        """The name of the job in use."""
        return self.job.name

    @property
    def camera_name(self) -> str:
        """What the camera is called on screen."""
        if self.settings.camera == DEMO:
            return tr("Sample pictures")
        return self.settings.camera

    @property
    def photo_folder(self) -> Path:
        """Where the search for a photo begins."""
        return SAMPLES if self.settings.camera == DEMO else Path.home()

    def start(self) -> None:
        """Read and judge from now on.

        Raises:
            SdkError: The camera's source or the job cannot be used.
        """
        if self._station is None:
            self._station = self._new_station()
            self._station.start()
        else:
            self._station.resume()
        self.running = True

    def pause(self) -> None:
        """Read no more until `start`."""
        if self._station is not None:
            self._station.pause()
        self.running = False

    def single_shot(self) -> None:
        """Read and judge one picture, also while paused.

        Raises:
            SdkError: The camera's source or the job cannot be used.
        """
        if self._station is None:
            self._station = self._new_station()
            self._station.pause()
            self._station.start()
        self._station.single_shot()

    def choose_job(self, name: str) -> None:
        """Inspect for another job from now on, and remember it.

        Raises:
            JobError: There is no such job.
            SdkError: The settings cannot be written.
        """
        job = self.jobs.find(name)
        if job is None:
            raise JobError(tr("There is no job {name!r}.").format(name=name))
        self.settings = replace(self.settings, job=name)
        if self._station is not None:
            self._station.job = job
        save_settings(self.settings, self.settings_file)

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

    def draft_problem(self) -> str:
        """Return why the job being edited cannot be saved, or nothing."""
        if self.jobs.draft is None:
            return ""
        try:
            self.jobs.draft.to_job()
        except SdkError as error:
            return str(error)
        return ""

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
        if self._station is not None:
            self._station.job = self.job

    def keep_still(self) -> int:
        """Put the photo looked at and its corrected text into the history; return its number.

        Raises:
            SdkError: There is no photo, or the history cannot be written.
        """
        photo = self.still.photo
        if photo is None:
            raise SdkError(tr("There is no photo. Open one first."))
        if self.still.record is None:
            verdict = judge(self.job, photo.reading)
            self.still.record = self._history.add(verdict, photo.picture)
        self._history.correct(self.still.record, "\n".join(self.still.texts))
        return self.still.record

    def apply(self, settings: Settings) -> None:
        """Use other settings from now on, and remember them; what failed leaves the old ones.

        Raises:
            SdkError: The model, the device or a value cannot be used, or nothing can be written.
        """
        old, was_running = self.settings, self.running
        reader = None
        if (old.model, old.device, old.threads) != (
            settings.model,
            settings.device,
            settings.threads,
        ):
            reader = _reader_for(settings)
        save_settings(settings, self.settings_file)
        self.settings = settings
        if reader is not None or old.camera != settings.camera:
            self._stop_station()
            self.live.reset()
        if reader is not None:
            self._reader, unused = reader, self._reader
            unused.close()
        if (old.pictures, old.quota_mb) != (settings.pictures, settings.quota_mb):
            self._stop_station()
            self._reopen_history()
        if was_running:
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

    def output_rows(self) -> list[dict[str, Any]]:
        """Return for each output its name and how many verdicts were sent, failed and dropped."""
        return []

    @property
    def settings_file(self) -> Path:
        """Where the settings are kept."""
        return self.folder / "settings.toml"

    @property
    def station_file(self) -> Path:
        """Where the outputs are set up."""
        return self.folder / "station.toml"

    def close(self) -> None:
        """Stop reading, finish what is under way, and close everything."""
        self._stop_station()
        self.background.close()
        self._history.close()
        self._reader.close()

    def _new_station(self) -> Station:
        source = _DEMO_SOURCE if self.settings.camera == DEMO else self.settings.camera
        station = Station(self._reader, source, self.job, history=self._history)
        station.on_frame = self.live.on_frame
        station.on_verdict = self.live.on_verdict
        station.on_state = self.live.on_state
        return station

    def _stop_station(self) -> None:
        if self._station is not None:
            self._station.stop()
        self._station, self.running = None, False

    def _open_reader(self) -> Reader:
        try:
            return _reader_for(self.settings)
        except SdkError as error:
            # a station that was set up wrongly must still start, to be set up again
            self.warnings.append(str(error))
            return Reader()

    def _reopen_history(self) -> None:
        path = self._history.path
        self._history.close()
        self._history = History(
            path, pictures=self.settings.pictures, quota_mb=self.settings.quota_mb
        )
        self.history = HistoryModel(self._history, self.folder / "exports")


def _reader_for(settings: Settings) -> Reader:
    reader = Reader(
        settings.model or None, device=settings.device, threads=settings.threads or None
    )
    reader.warm_up()
    return reader


def _bring_demo_job(folder: Path) -> None:
    """Put the job of the sample pictures into a new folder of jobs."""
    if not folder.exists():
        folder.mkdir(parents=True)
        shutil.copy(SAMPLES / "steripad.toml", folder)
