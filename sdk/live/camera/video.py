"""Video files: every frame, in order."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import cv2

from sdk.errors import CameraEnd, CameraError
from sdk.live.camera.base import CameraBase, Frame
from sdk.live.camera.opencv import to_rgb
from sdk.live.camera.pace import Pace

logger = logging.getLogger("sdk")


class VideoFile(CameraBase):
    """A video file. No frame is skipped, however long reading takes."""

    live = False

    def __init__(self, path: str | Path, *, loop: bool = False, fps: float = 0.0) -> None:
        """Prepare a closed file.

        Args:
            path: The file.
            loop: Whether to start again at the end, without limit.
            fps: Largest number of frames per second. 0 sets no limit.
        """
        super().__init__(f"video {path}")
        self._path = Path(path)
        self._loop = loop
        self._pace = Pace(fps)
        self._capture: Any = None
        # the first frame, read by `open` to check that there is a frame
        self._ahead: Any = None
        self._opened = 0.0
        self._read = 0

    def open(self) -> None:
        """Open the file, see `Camera.open`."""
        if self._capture is not None:
            return
        if not self._path.is_file():
            raise CameraError(f"Cannot open {self}: there is no such file. Check the path.")
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise CameraError(
                f"Cannot open {self}: it is damaged, or this OpenCV cannot decode it. "
                "Convert it, for example: ffmpeg -i INPUT -c:v libx264 out.mp4"
            )
        there, image = capture.read()
        if not there:
            raise CameraError(
                f"Cannot open {self}: no frame in it can be decoded. Record or copy it again."
            )
        self._capture, self._ahead = capture, image
        self._opened, self._read = time.time(), 0

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next frame, see `Camera.read`."""
        if self._capture is None:
            raise self._not_open()
        if not self._pace.wait(timeout_s):
            return None
        if self._ahead is None:
            self._ahead = self._capture.read()[1]
        if self._ahead is None:
            self._end()
        image, self._ahead = self._ahead, None
        self._read += 1
        position_ms = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        return self._frame(to_rgb(image), self._opened + position_ms / 1000)

    def properties(self) -> dict[str, Any]:
        """Return width, height and frames per second."""
        if self._capture is None:
            return {}
        return {
            "width": round(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            "height": round(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            "fps": self._capture.get(cv2.CAP_PROP_FPS),
        }

    def close(self) -> None:
        """Close the file, see `Camera.close`."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _end(self) -> None:
        """Start again or raise CameraEnd, with a warning if the file should have more frames."""
        promised = round(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if self._read < promised:
            logger.warning(
                "%s ends after %d of %d frames: it is damaged or truncated.",
                self, self._read, promised,
            )  # fmt: skip
        if not self._loop:
            raise CameraEnd(f"{self} has ended after {self._read} frames.")
        self.close()
        self.open()
