"""Cameras and films for tests: a camera that can be unplugged, a network camera, video files."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sdk.live.camera import CameraBase, CameraEnd, CameraError, Frame

Picture = npt.NDArray[np.uint8]


def gray(value: int, width: int = 64, height: int = 48) -> Picture:
    """A picture of one shade."""
    return np.full((height, width, 3), value, np.uint8)


def write_video(path: Path, pictures: Sequence[Picture], fps: float = 10) -> Path:
    """Write RGB pictures to a video file; the suffix .avi gives Motion JPEG."""
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def wait_until(condition: Callable[[], object], timeout_s: float = 30) -> None:
    """Wait for a condition; fail after a time that is long even on a busy machine."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


class Conveyor(CameraBase):
    """A camera that shows given pictures, one when each is let through, and can be unplugged."""

    def __init__(self, pictures: Sequence[Picture], *, live: bool = True, free: bool = True):
        super().__init__("the conveyor")
        self.live = live
        self.pictures = list(pictures)
        self.shown = 0
        self.asked = 0
        self.opened = 0
        self.closed = 0
        self.plugged = threading.Event()
        self.plugged.set()
        self._free = free
        self._steps = threading.Semaphore(0)
        self._open = False

    def step(self, count: int = 1) -> None:
        """Let pictures through."""
        self._steps.release(count)

    def wait_for(self, shown: int) -> None:
        """Wait until so many pictures were shown and the last was handed over."""
        wait_until(lambda: self.shown == shown)
        asked = self.asked
        wait_until(lambda: self.asked > asked)

    def unplug(self) -> None:
        self.plugged.clear()

    def open(self) -> None:
        if not self.plugged.is_set():
            raise CameraError("Cannot open the conveyor: it is not plugged in.")
        self.opened += not self._open
        self._open = True

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        self.asked += 1
        if not self._open:
            raise self._not_open()
        if not self.plugged.is_set():
            raise CameraError("Lost the conveyor: it was unplugged.")
        if not (self._free or self._steps.acquire(timeout=0.01)):
            return None
        if self.shown == len(self.pictures):
            raise CameraEnd("The conveyor is empty.")
        self.shown += 1
        return self._frame(self.pictures[self.shown - 1])

    def close(self) -> None:
        self.closed += self._open
        self._open = False


class NetworkCameraServer:
    """A network camera: Motion JPEG over HTTP, counting up the shade of its pictures."""

    def __init__(self, port: int = 0) -> None:
        self._sockets: list[socket.socket] = []
        self._stopped = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://admin:secret@127.0.0.1:{self.port}/video.mjpg"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Switch the camera off: what is connected is cut."""
        self._stopped.set()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        self._sockets.append(handler.connection)
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        shade = 0
        with contextlib.suppress(OSError):  # who watched has left
            while not self._stopped.is_set():
                data = cv2.imencode(".jpg", gray(shade % 250))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                handler.wfile.write(head.encode() + data + b"\r\n")
                shade += 1
                time.sleep(0.02)
