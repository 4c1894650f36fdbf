"""Reading of a camera in a thread: only the newest frame is kept, a lost camera is reopened."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterator

from sdk.errors import CameraEnd, CameraError, ImageError, SdkError
from sdk.live.camera.base import Camera, Frame

logger = logging.getLogger("sdk")

__all__ = ["Grabber"]

# Timeout of one read of the camera in seconds, and so the longest delay of a stop.
READ_S = 0.25
CLOSE_S = 10.0


class Grabber:
    """A thread that reads a camera.

    The grabber keeps only the newest frame of a live camera. A slow consumer skips frames and has
    no delay. Frames of files, folders and triggered cameras are not skipped. The next frame is read
    after the consumer has taken the last frame.

    A camera that cannot be opened or is lost is opened again after a wait, which doubles with every
    failure. Failures of a camera raise no exception here. They are reported to `on_state`.

    Attributes:
        camera: The camera. Any thread may trigger and configure it.
        dropped: Number of skipped frames.
        ended: Whether the file or folder has been read to its end.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        on_state: Callable[[str, str], None] | None = None,
        first_retry_s: float = 0.5,
        max_retry_s: float = 30.0,
        stall_s: float = 15.0,
    ) -> None:
        """Start the thread.

        Args:
            camera: The camera, open or not. The grabber opens and closes it.
            on_state: Called from the grabber's thread with a state and a message. The states are
                "open", "lost" and "skipped" (a picture of a folder cannot be read), both with the
                reason, and "ended".
            first_retry_s: Wait after the first failure, in seconds.
            max_retry_s: Longest wait, in seconds.
            stall_s: Time without a frame, in seconds, after which a live camera counts as lost.
        """
        self.camera = camera
        self.dropped = 0
        self.ended = False
        self._on_state = on_state
        self._first_retry_s = first_retry_s
        self._max_retry_s = max_retry_s
        self._stall_s = stall_s
        self._state = ""
        self._newest: Frame | None = None
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="grabber", daemon=True)
        self._thread.start()
        # a thread inside a driver at the end of the program can abort the process
        atexit.register(self.close)

    def latest(self, timeout_s: float) -> Frame | None:
        """Return the newest frame that was not returned yet, or None after the timeout."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._newest is not None or self.ended or self._stopping.is_set(),
                timeout_s,
            )
            frame, self._newest = self._newest, None
            self._changed.notify_all()
        return frame

    def close(self) -> None:
        """Stop the thread and close the camera. A second call has no effect."""
        atexit.unregister(self.close)
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():  # a hanging driver must not block the program
            logger.warning("%s does not stop: its driver still waits for a frame.", self.camera)

    def _run(self) -> None:
        retry_s = self._first_retry_s
        while not self._stopping.is_set():
            frames = 0
            try:
                self.camera.open()
                self._tell("open", "")
                for frame in self._frames():
                    frames += 1
                    self._put(frame)
                break
            except CameraEnd as end:
                self.ended = True
                self._tell("ended", str(end))
                break
            except SdkError as error:
                reason = str(error)
            except Exception as error:  # a driver may raise any exception, and reading must go on
                logger.exception("Unexpected failure of %s", self.camera)
                reason = f"Lost {self.camera}: {error}"
            self._close_camera()
            self._tell("lost", reason)
            if frames:  # a camera that opens but gives no frame keeps its growing wait
                retry_s = self._first_retry_s
            self._stopping.wait(retry_s)
            retry_s = min(2 * retry_s, self._max_retry_s)
        self._close_camera()
        with self._changed:
            self._changed.notify_all()

    def _frames(self) -> Iterator[Frame]:
        """Yield the frames of the open camera until the grabber is closed."""
        last = time.monotonic()
        while not self._stopping.is_set():
            if not self.camera.live and not self._taken():
                last = time.monotonic()
                continue
            try:
                frame = self.camera.read(READ_S)
            except ImageError as error:
                self._tell("skipped", str(error))
                continue
            if frame is not None:
                last = time.monotonic()
                yield frame
            elif self.camera.live and time.monotonic() - last > self._stall_s:
                raise CameraError(f"Lost {self.camera}: no frame for {self._stall_s:g} s.")

    def _taken(self) -> bool:
        """Wait briefly for the consumer to take the last frame, and return whether it did."""
        with self._changed:
            return self._changed.wait_for(lambda: self._newest is None, READ_S)

    def _put(self, frame: Frame) -> None:
        with self._changed:
            self.dropped += self._newest is not None
            self._newest = frame
            self._changed.notify_all()

    def _close_camera(self) -> None:
        try:
            self.camera.close()
        except Exception as error:  # a broken camera may fail to close
            logger.warning("Cannot close %s: %s", self.camera, error)

    def _tell(self, state: str, message: str) -> None:
        logger.info("%s: %s %s", self.camera, state, message)
        # a camera that is still lost is no news
        is_news = (state, self._state) != ("lost", "lost")
        self._state = state
        if is_news and self._on_state is not None:
            try:
                self._on_state(state, message)
            except Exception:  # a failing callback must not stop the frames
                logger.exception("Cannot tell that %s is %s", self.camera, state)
