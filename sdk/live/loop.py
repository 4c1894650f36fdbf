"""The loop from a camera to events: grab, wait, read, follow."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from sdk.image.load import ImageArray
from sdk.live.camera.base import Camera, Frame
from sdk.live.event import StreamEvent
from sdk.live.grabber import Grabber
from sdk.live.tracker import Follower
from sdk.results import Reading

__all__ = ["FrameReader", "events", "frames"]

# Interval in seconds at which a stop, a pause or a request is noticed while no frame comes.
POLL_S = 0.1


class FrameReader(Protocol):
    """A reader of frames, such as `sdk.Reader`."""

    def read(
        self,
        image: ImageArray,
        *,
        min_confidence: float | None = None,
        region: Sequence[float] | None = None,
        words: bool = True,
        cells: bool = True,
    ) -> Reading:
        """Return the text in a picture, uint8 RGB (H, W, 3), or in a region, see `Reader.read`."""


def frames(
    grabber: Grabber,
    stop: threading.Event,
    *,
    every: float,
    is_paused: Callable[[], bool] = lambda: False,
    is_urgent: Callable[[], bool] = lambda: False,
) -> Iterator[Frame | None]:
    """Yield the newest frames at a pace, until the file or folder has ended or `stop` is set.

    Args:
        grabber: Reads the camera.
        stop: Ends the frames when set, by any thread.
        every: Least time between two frames, in seconds.
        is_paused: Tells whether to hold back frames now.
        is_urgent: Tells whether to yield the next frame at once, in spite of pace and pause.

    Yields:
        A frame, or None several times a second while there is no frame.
    """
    due = 0.0
    while not stop.is_set():
        # read before the frame: a file may end during the wait for its last frame
        ended, frame = grabber.ended, None
        early = due - time.monotonic()
        if (early > 0 or is_paused()) and not is_urgent():
            stop.wait(min(POLL_S, max(early, 0.001)) if early > 0 else POLL_S)
            ended = False
        else:
            frame = grabber.latest(POLL_S)
        if frame is not None:
            due = time.monotonic() + every
        elif ended:
            break
        yield frame
    # lets the caller handle the last states of the grabber
    yield None


def events(
    read: Callable[[ImageArray], Reading],
    camera: Camera,
    follower: Follower,
    *,
    every: float,
    stop: threading.Event,
) -> Generator[StreamEvent, None, None]:
    """Yield the events of a camera, see `Reader.stream`.

    Args:
        read: Returns the reading of a frame's pixels, uint8 RGB (H, W, 3).
        camera: The camera.
        follower: Turns the readings into events.
        every: Least time between two readings, in seconds.
        stop: Ends the stream when set.
    """
    camera.open()  # a wrong source fails here, a camera that is lost later is opened again
    happened: deque[StreamEvent] = deque()
    lost = False

    def on_state(state: str, message: str) -> None:
        nonlocal lost
        kind = {"open": "back", "lost": "lost", "skipped": "skipped"}.get(state)
        # an open camera is news only after a loss
        if kind is not None and (kind != "back" or lost):
            happened.append(StreamEvent(kind, message=message, time=time.time()))
        lost = state == "lost" or (lost and state == "skipped")

    grabber = Grabber(camera, on_state=on_state)
    try:
        for frame in frames(grabber, stop, every=every):
            while happened:  # states before the frame
                yield happened.popleft()
            if frame is not None:
                event = follower.update(read(frame.image), frame.time)
                if event is not None:
                    yield replace(event, frame=frame)
    finally:
        grabber.close()
