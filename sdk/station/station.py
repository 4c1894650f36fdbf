"""`Station`: from the camera to the plant, in one thread.

    camera -> grabber -> reader -> tracker -> judge -> outputs, history, callbacks

The grabber has a thread of its own, and so has every output; all else happens in the station's
thread, one frame after the other. The outputs are told before the verdict is recorded: the plant
does not wait for the disk.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sdk.errors import CameraError, HistoryError, OptionError, SdkError
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
from sdk.station.verdict import Verdict

logger = logging.getLogger("sdk")

__all__ = ["Station"]

# Wait after a failed reading, so that a failure that stays does not fill the log.
FAILED_WAIT_S = 0.5
STOP_S = 30.0


class Station:
    """Inspects the products in front of a camera.

    Of a live camera a product gets a verdict when its reading is settled, and another one when it
    changes; of still pictures (a folder, a triggered camera) every frame gets one. Nothing that
    happens to the camera, a reading, the history or an output ends the station: it is counted and
    told.

    Attributes:
        on_frame: Called with an `Inspection` of every frame that was read and judged, after
            `on_verdict` if the frame brought a verdict. Who shows pictures and verdicts takes both
            from it: of two callbacks the one would be shown beside what the other told before.
        on_verdict: Called with every verdict and its record's id; None without a history or when
            it could not be recorded.
        on_state: Called with what happens and a message: "open", "lost", "skipped" and "ended" as
            of `sdk.live.grabber.Grabber`; "history" when a verdict or picture is not recorded, and
            why, or with an empty message when it works again; "error" when a frame cannot be read
            or judged.

    Callbacks are called from the station's thread, and what they raise is logged. A slow one holds
    up reading.
    """

    def __init__(
        self,
        reader: FrameReader,
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
        """Prepare a station; `start` starts it. Reader, history and outputs stay the caller's.

        Args:
            reader: Who reads.
            camera_source: A camera, or a source as `sdk.live.camera.make_camera` takes it.
            job: What must stand on the products.
            history: Where verdicts are recorded, or None.
            outputs: Where verdicts are sent, or None.
            every: Least seconds between two readings, 0 and up.
            vote: Frames that must agree until a reading is settled, at least 1.
            on_frame: See above.
            on_verdict: See above.
            on_state: See above.

        Raises:
            CameraError: There is no such file or folder.
            OptionError: A source, `every` or `vote` is not legal.
        """
        if not 0 <= every < math.inf:
            raise OptionError(f"every is {every!r}. Give seconds, 0 or more.")
        Tracker(vote)  # checks it
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
        self._job = job
        self._counters = dict.fromkeys(
            ("ok", "ng", "unreadable", "frames", "dropped", "lost_history", "errors"), 0
        )
        # times at which single shots were asked for
        self._shots: deque[float] = deque()
        self._told: deque[tuple[str, str]] = deque()
        self._running = threading.Event()
        self._running.set()
        self._stopping = threading.Event()
        self._grabber: Grabber | None = None
        self._thread: threading.Thread | None = None
        # what was last not recorded: "picture", "verdict", or nothing
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
        """What must stand on the products; a new one counts from the next frame on."""
        return self._job

    @job.setter
    def job(self, job: Job) -> None:
        with self._lock:
            self._job = job

    @property
    def counters(self) -> dict[str, int]:
        """Numbers since the station was made.

        "ok", "ng" and "unreadable" verdicts; "frames" read; frames "dropped" because newer ones
        came; verdicts in "lost_history" because they could not be recorded; "errors": frames that
        could not be read or judged.
        """
        with self._lock:
            counters = dict(self._counters)
            if self._grabber is not None:
                counters["dropped"] += self._grabber.dropped
        return counters

    @property
    def alive(self) -> bool:
        """Whether the station is started and the file or folder it reads has not ended."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Open the camera and start to inspect. A started station stays as it is."""
        if self.alive:
            return
        self.stop()  # what has ended by itself still holds its camera
        # its own: a run that was stopped from a callback may still have to see that
        self._stopping = threading.Event()
        self._shots.clear()  # nobody waits for these any more
        self._grabber = Grabber(self.camera, on_state=lambda *told: self._told.append(told))
        self._thread = threading.Thread(
            target=self._run, args=(self._grabber, self._stopping), name="station", daemon=True
        )
        self._thread.start()

    def pause(self) -> None:
        """Read no more frames until `resume`, but for single shots."""
        self._running.clear()

    def resume(self) -> None:
        """Go on reading."""
        self._running.set()

    def single_shot(self) -> None:
        """Inspect the next frame by itself, without a vote; `on_verdict` tells the outcome.

        A camera whose trigger is "software" takes that frame now. Works while paused too.

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
            timeout_s: How long to wait, in seconds; None without end.

        Returns:
            Whether it has ended.
        """
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return not self.alive

    def stop(self) -> None:
        """Finish the frame under way, and close the camera. Stopping twice does nothing.

        Verdicts that wait in the outputs are sent by closing those.
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
            self._tell_states()  # what came before the frame
            if frame is None:
                continue
            shot = self._take_shot(frame)
            if not shot and self.camera.live and not self._running.is_set():
                continue  # any other frame is a product, which must not pass unseen
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
        """Whether a single shot was asked for that this frame answers."""
        # a frame of a live camera may be older than the wish
        if not self._shots or (self.camera.live and frame.time < self._shots[0]):
            return False
        self._shots.popleft()
        return True

    def _read(self, frame: Frame, job: Job) -> Reading | None:
        try:
            reading = self._reader.read(
                frame.image, region=job.region, min_confidence=job.noise_confidence
            )
        except Exception as error:  # the next frame may be readable
            if not isinstance(error, SdkError):
                logger.exception("Unexpected failure of the reader")
            self._count("errors")
            self._tell("error", f"Cannot read a frame: {error}")
            self._stopping.wait(FAILED_WAIT_S)
            return None
        self._count("frames")
        return reading

    def _inspect(self, job: Job, seen: Inspection) -> Inspection | None:
        """Judge a product and pass the verdict on; return it with its verdict, None without."""
        try:
            verdict = judge(job, seen.reading)
        except Exception as error:  # such as a bound of a date beyond the calendar
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
        except Exception as error:  # the plant needs the next verdict, recorded or not
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
        """Tell what the grabber's thread has noted."""
        while self._told:
            self._tell(*self._told.popleft())

    def _tell(self, kind: str, message: str) -> None:
        self._call(self.on_state, kind, message)

    def _call(self, callback: Callable[..., None] | None, *arguments: Any) -> None:
        try:
            if callback is not None:
                callback(*arguments)
        except Exception:  # what a screen does wrong must not stop the line
            logger.exception("A callback of the station failed")
