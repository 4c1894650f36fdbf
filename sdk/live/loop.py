"""From a camera to events: grab, read, follow."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sdk.live.camera.base import Camera
from sdk.live.event import StreamEvent
from sdk.live.grabber import Grabber
from sdk.live.region import Region, read_region
from sdk.live.tracker import Follower

if TYPE_CHECKING:
    from sdk.reader import Reader

# How soon a stop is seen while no frame comes.
POLL_S = 0.2


def events(
    reader: Reader,
    camera: Camera,
    follower: Follower,
    *,
    every: float,
    region: Region | None,
    stop: threading.Event,
    options: dict[str, Any],
) -> Generator[StreamEvent, None, None]:
    """Yield what happens in front of a camera, see `Reader.stream`."""
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
    due = 0.0
    try:
        while not stop.is_set():
            ended, frame = grabber.ended, None
            early = due - time.monotonic()
            if early > 0:
                stop.wait(min(early, POLL_S))
            else:
                frame = grabber.latest(POLL_S)
            while happened:  # what was told before the frame came
                yield happened.popleft()
            if frame is not None:
                due = time.monotonic() + every
                reading = read_region(reader, frame.image, region, **options)
                event = follower.update(reading, frame.time)
                if event is not None:
                    yield replace(event, frame=frame)
            elif ended:
                break
    finally:
        grabber.close()
