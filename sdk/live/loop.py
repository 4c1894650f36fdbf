"""From a camera to events: grab, wait, read, follow."""

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

# How soon a stop, a pause or a request is seen while no frame comes.
POLL_S = 0.1


class FrameReader(Protocol):
    """Who reads frames; `sdk.Reader` is one."""

    def read(
        self,
        image: ImageArray,
        *,
        min_confidence: float | None = None,
        region: Sequence[float] | None = None,
    ) -> Reading:
        """Return the text in a picture, uint8 RGB (H, W, 3), or in a region; see `Reader.read`."""


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
        is_paused: Whether no frame is wanted now.
        is_urgent: Whether the next frame is wanted now, whatever the pace and the pause.

    Yields:
        A frame, or None several times a second while there is none.
    """
    due = 0.0
    while not stop.is_set():
        # before the frame is asked for: a file may end while the last frame is waited for
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
    # what the grabber has told since then may still be passed on
    yield None


def events(
    read: Callable[[ImageArray], Reading],
    camera: Camera,
    follower: Follower,
    *,
    every: float,
    stop: threading.Event,
) -> Generator[StreamEvent, None, None]:
    """Yield what happens in front of a camera, see `Reader.stream`.

    Args:
        read: Returns the reading of a frame's pixels, uint8 RGB (H, W, 3).
        camera: The camera.
        follower: Turns the readings into events.
        every: Least time between two readings, in seconds.
        stop: Ends the stream when set.
    """
    camera.open()  # a wrong source fails here; a camera that is lost later is waited for
    happened: deque[StreamEvent] = deque()
    lost = False

    def on_state(state: str, message: str) -> None:
        nonlocal lost
        kind = {"open": "back", "lost": "lost", "skipped": "skipped"}.get(state)
        # that the camera is open is news only after it was lost
        if kind is not None and (kind != "back" or lost):
            happened.append(StreamEvent(kind, message=message, time=time.time()))
        lost = state == "lost" or (lost and state == "skipped")

    grabber = Grabber(camera, on_state=on_state)
    try:
        for frame in frames(grabber, stop, every=every):
            while happened:  # what was told before the frame came
                yield happened.popleft()
            if frame is not None:
                event = follower.update(read(frame.image), frame.time)
                if event is not None:
                    yield replace(event, frame=frame)
    finally:
        grabber.close()
