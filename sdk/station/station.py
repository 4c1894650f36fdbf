"""`Station`: from the camera to the plant, in one thread.

    camera -> grabber -> reader -> tracker -> judge -> outputs, history, callbacks

The grabber and every output have their own threads. All other steps run in the station's thread,
frame by frame. The outputs get a verdict before the history records it, so that the plant does not
wait for the disk.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sdk.errors import CameraError, HistoryError, JobError, OptionError, SdkError
from sdk.live import Tracker, tracker_for
from sdk.live.camera import Camera, Frame, make_camera
from sdk.live.grabber import Grabber
from sdk.live.loop import FrameReader, frames
from sdk.results import Reading
from sdk.station.history import History
from sdk.station.inspection import Inspection
from sdk.station.job import Job
from sdk.station.judge import judge
from sdk.station.outputs import Outputs
from sdk.station.readers import JobReaders
from sdk.station.reading import read_product
from sdk.station.verdict import Verdict

logger = logging.getLogger("sdk")

__all__ = ["Station"]

# Wait after a failed reading, so that a permanent failure does not fill the log.
FAILED_WAIT_S = 0.5
STOP_S = 30.0


class Station:
    """Inspects the products in front of a camera.

    With a live camera, a product gets a verdict when its reading is settled, and a new verdict when
    its reading changes. With still pictures (a folder, a triggered camera) every frame gets a
    verdict. No failure of the camera, a reading, the history or an output ends the station.
    Failures are counted and reported.

    Attributes:
        on_frame: Called with an `Inspection` of every frame that was read and judged, after
            `on_verdict` if the frame brought a verdict. A screen should take picture and verdict
            from this callback, because values from two callbacks can belong to different frames.
        on_verdict: Called with every verdict and its id in the history. The id is None without a
            history or if the verdict could not be recorded.
        on_state: Called with a state and a message. "open", "lost", "skipped" and "ended" are the
            states of `sdk.live.grabber.Grabber`. "history" reports why a verdict or picture was not
            recorded, and with an empty message that the history works again. "error" reports that a
            frame cannot be read or judged.

    Callbacks run in the station's thread. Their exceptions are logged. A slow callback delays
    reading.
    """

    def __init__(
        self,
        reader: FrameReader | JobReaders,
        camera_source: Camera | str | int | os.PathLike[str],
        job: Job,
        *,
        history: History | None = None,
        outputs: Outputs | None = None,
        every: float = 0.0,
        vote: int = 3,
        on_frame: Callable[[Inspection], None] | None = None,
        on_verdict: Callable[[Verdict, int | None], None] | None = None,
        on_state: Callable[[str, str], None] | None = None,
    ) -> None:
        """Prepare a station. The caller starts it and closes reader, history and outputs.

        Args:
            reader: Reader of the frames; `JobReaders` if jobs may name bundles of their own.
            camera_source: A camera, or a source, see `sdk.live.camera.source`.
            job: Job for the products.
            history: History that records the verdicts, or None.
            outputs: Outputs that receive the verdicts, or None.
            every: Least time between two readings in seconds, 0 and up.
            vote: Number of frames that must agree before a reading is settled, at least 1.
            on_frame: See the class.
            on_verdict: See the class.
            on_state: See the class.

        Raises:
            CameraError: There is no such file or folder.
            JobError: A bundle of the job is missing or cannot be used.
            OptionError: A source, `every` or `vote` is not legal.
        """
        if not 0 <= every < math.inf:
            raise OptionError(f"every is {every!r}. Give seconds, 0 or more.")
        Tracker(vote)  # checks the value
        if isinstance(camera_source, (str, int, os.PathLike)):
            camera_source = make_camera(camera_source)
        self.camera = camera_source
        self.on_frame = on_frame
        self.on_verdict = on_verdict
        self.on_state = on_state
        self._reader = reader
        self._history = history
        self._outputs = outputs
        self._every, self._vote = every, vote
        self._lock = threading.Lock()
        self._readers_of(job)  # a bundle that is missing fails here, not at the first product
        self._job = job
        self._counters = dict.fromkeys(
            ("ok", "ng", "unreadable", "frames", "dropped", "lost_history", "errors"), 0
        )
        # times of the requests for single shots
        self._shots: deque[float] = deque()
        self._told: deque[tuple[str, str]] = deque()
        self._running = threading.Event()
        self._running.set()
        self._stopping = threading.Event()
        self._grabber: Grabber | None = None
        self._thread: threading.Thread | None = None
        # the last failure of the history: "picture", "verdict", or empty
        self._history_trouble = ""

    def __enter__(self) -> Station:
        """Start the station."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the station."""
        self.stop()

    @property
    def job(self) -> Job:
        """Job for the products. A new job applies from the next frame.

        Setting it opens the bundles that the job names, and raises `JobError` if one of them is
        missing or cannot be used. The former job stays then.
        """
        return self._job

    @job.setter
    def job(self, job: Job) -> None:
        self._readers_of(job)
        with self._lock:
            self._job = job

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the station was created.

        "ok", "ng" and "unreadable" count verdicts. "frames" counts read frames, "dropped" skipped
        frames, "errors" frames that could not be read or judged. "lost_history" counts verdicts
        that could not be recorded.
        """
        with self._lock:
            counters = dict(self._counters)
            if self._grabber is not None:
                counters["dropped"] += self._grabber.dropped
        return counters

    @property
    def alive(self) -> bool:
        """Whether the station is running. A station ends with its file or folder."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Open the camera and start to inspect. No effect on a running station."""
        if self.alive:
            return
        self.stop()  # a run that has ended by itself still holds its camera
        # a new event: a run that was stopped by a callback may not have seen its own event yet
        self._stopping = threading.Event()
        self._shots.clear()  # requests of an earlier run
        self._grabber = Grabber(self.camera, on_state=lambda *told: self._told.append(told))
        self._thread = threading.Thread(
            target=self._run, args=(self._grabber, self._stopping), name="station", daemon=True
        )
        self._thread.start()

    def pause(self) -> None:
        """Read no more frames until `resume`, except single shots."""
        self._running.clear()

    def resume(self) -> None:
        """Continue after `pause`."""
        self._running.set()

    def single_shot(self) -> None:
        """Inspect the next frame alone, without a vote. `on_verdict` reports the verdict.

        A camera with a software trigger takes the frame now. The call also works during a pause.

        Raises:
            CameraError: The trigger failed, or the station is not running.
        """
        if not self.alive:
            raise CameraError("Cannot inspect a frame: the station is not running. Start it.")
        asked = time.time()
        self._shots.append(asked)
        if self.camera.properties().get("trigger") == "software":
            try:
                self.camera.trigger()
            except SdkError:
                with contextlib.suppress(ValueError):
                    self._shots.remove(asked)
                raise

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the file or folder has ended or another thread stops the station.

        Args:
            timeout_s: Longest wait in seconds. None waits without limit.

        Returns:
            Whether the station has ended.
        """
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return not self.alive

    def stop(self) -> None:
        """Finish the current frame and close the camera. A second call has no effect.

        Waiting verdicts of the outputs are sent when the outputs are closed.
        """
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(STOP_S)
            if thread.is_alive():
                logger.warning("The station does not stop: a reading or a callback hangs.")
        with self._lock:
            grabber, self._grabber = self._grabber, None
            if grabber is not None:
                self._counters["dropped"] += grabber.dropped
        if grabber is not None:
            grabber.close()

    def _run(self, grabber: Grabber, stopping: threading.Event) -> None:
        follower, job = tracker_for(self.camera, self._vote), self.job
        judged: Inspection | None = None  # the product in view, once it has a verdict
        for frame in frames(
            grabber,
            stopping,
            every=self._every,
            is_paused=lambda: not self._running.is_set(),
            is_urgent=lambda: bool(self._shots),
        ):
            self._tell_states()  # states before the frame
            if frame is None:
                continue
            shot = self._take_shot(frame)
            if not shot and self.camera.live and not self._running.is_set():
                continue  # a frame of a camera that is not live is a product and must be inspected
            if job is not self.job:
                # the product in view is inspected again
                follower, job = tracker_for(self.camera, self._vote), self.job
                judged = None
            started = time.perf_counter()
            reading = self._read(frame, job)
            if reading is None:
                continue
            ms = 1e3 * (time.perf_counter() - started)
            seen = Inspection(frame, reading, ms)
            event = None if shot else follower.update(reading, frame.time)
            if event is not None and event.kind == "cleared":
                judged = None
            elif shot or event is not None:
                product = seen if event is None else replace(seen, reading=event.reading)
                judged = self._inspect(job, product)
                if judged is None:
                    continue
                seen = judged
            elif judged is not None and reading and reading.texts == judged.reading.texts:
                seen = replace(seen, verdict=judged.verdict, record=judged.record)
            self._call(self.on_frame, seen)

    def _take_shot(self, frame: Frame) -> bool:
        """Tell whether this frame answers a request for a single shot."""
        # a frame of a live camera may be older than the request
        if not self._shots or (self.camera.live and frame.time < self._shots[0]):
            return False
        self._shots.popleft()
        return True

    def _read(self, frame: Frame, job: Job) -> Reading | None:
        try:
            reading = read_product(self._readers_of(job), frame.image, job)
        except Exception as error:  # the next frame may be readable
            if not isinstance(error, SdkError):
                logger.exception("Unexpected failure of the reader")
            self._count("errors")
            self._tell("error", f"Cannot read a frame: {error}")
            self._stopping.wait(FAILED_WAIT_S)
            return None
        self._count("frames")
        return reading

    def _readers_of(self, job: Job) -> Sequence[FrameReader]:
        """Return a reader for each part of a job."""
        if isinstance(self._reader, JobReaders):
            return self._reader.of(job)
        model = next((part.model for part in job.parts if part.model), "")
        if model:
            raise JobError(
                f"The job {job.name!r} names the model {model!r}, but the station has a single "
                "reader. Give the station JobReaders."
            )
        return (self._reader,) * len(job.parts)

    def _inspect(self, job: Job, seen: Inspection) -> Inspection | None:
        """Judge a product, report the verdict, and return the inspection, None after a failure."""
        try:
            verdict = judge(job, seen.reading)
        except Exception as error:  # for example a bound of a date beyond the calendar
            logger.exception("Cannot judge by the job %s", job.name)
            self._count("errors")
            self._tell("error", f"Cannot judge a product: {error}")
            return None
        if self._outputs is not None:
            self._outputs.publish(verdict)
        record = None if self._history is None else self._record(self._history, verdict, seen.frame)
        self._count(verdict.status)
        self._call(self.on_verdict, verdict, record)
        return replace(seen, verdict=verdict, record=record, is_new=True)

    def _record(self, history: History, verdict: Verdict, frame: Frame) -> int | None:
        record, problem = None, ""
        lost = history.pictures_lost
        try:
            record = history.add(verdict, frame.image)
            problem = history.last_error if history.pictures_lost > lost else ""
        except Exception as error:  # the plant needs the next verdict even if this one is lost
            if not isinstance(error, HistoryError):
                logger.exception("Unexpected failure of the history")
            self._count("lost_history")
            problem = str(error) or repr(error)
        trouble = "" if not problem else "picture" if record is not None else "verdict"
        if trouble != self._history_trouble:
            self._tell("history", problem)
        self._history_trouble = trouble
        return record

    def _count(self, name: str) -> None:
        with self._lock:
            self._counters[name] += 1

    def _tell_states(self) -> None:
        """Report the states that the grabber's thread has noted."""
        while self._told:
            self._tell(*self._told.popleft())

    def _tell(self, kind: str, message: str) -> None:
        self._call(self.on_state, kind, message)

    def _call(self, callback: Callable[..., None] | None, *arguments: Any) -> None:
        try:
            if callback is not None:
                callback(*arguments)
        except Exception:  # an error of a screen must not stop the line
            logger.exception("A callback of the station failed")
