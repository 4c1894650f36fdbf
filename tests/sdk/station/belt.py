"""Cameras that show what a test puts in front of them, in the script of `tests.tiny`."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import numpy as np

from sdk.errors import CameraError
from sdk.live.camera import CameraBase, Frame
from tests import tiny

EMPTY = np.zeros((128, 128, 3), np.uint8)


def photo(*texts: str) -> np.ndarray:
    """Returns a photo of at most two lines."""
    return np.asarray(
        tiny.draw_photo([(text, 8, 8 + 70 * row) for row, text in enumerate(texts)], (128, 128))
    )


class Belt(CameraBase):
    """A live camera over a belt: 200 frames a second of what lies there."""

    live = True

    def __init__(self, image: np.ndarray = EMPTY) -> None:
        super().__init__("the belt")
        self.image = image
        self.broken = threading.Event()
        self.is_open = False
        self.opened = 0

    def open(self) -> None:
        if self.broken.is_set():
            raise CameraError("The cable is out.")
        self.is_open = True
        self.opened += 1

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        time.sleep(0.005)
        if self.broken.is_set() or not self.is_open:
            raise CameraError("The cable is out.")
        return self._frame(self.image)

    def close(self) -> None:
        self.is_open = False


class TriggeredCamera(CameraBase):
    """A camera that takes a picture when it is told to."""

    live = False
    stills = True

    def __init__(self, image: np.ndarray) -> None:
        super().__init__("the camera")
        self.image = image
        self.taken: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()
        self.works = True

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def properties(self) -> dict[str, Any]:
        return {"trigger": "software"}

    def trigger(self) -> None:
        if not self.works:
            raise CameraError("The trigger is stuck.")
        self.taken.put(self.image)

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        try:
            return self._frame(self.taken.get(timeout=timeout_s))
        except queue.Empty:
            return None
