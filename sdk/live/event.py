"""The events of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sdk.live.camera.base import Frame
from sdk.results import Reading


def no_reading() -> Reading:
    """Return an empty reading without a picture."""
    return Reading((), 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class StreamEvent:
    """A change of the product in view, or of the camera.

    Attributes:
        kind: "settled": the reading of a product has its votes. "changed": a settled reading has
            changed. "cleared": the product has left. "lost": the camera does not answer and is
            being opened again. "back": the camera answers again. "skipped": a picture of a folder
            cannot be read.
        frame: The frame that caused the event. None for events of the camera.
        reading: The voted lines, in pixels of the frame. For "cleared" the last voted lines. Empty
            for events of the camera.
        message: Description of the problem, for "lost" and "skipped".
        time: Time of the frame, or of the event without a frame, Unix seconds.
    """

    kind: str
    frame: Frame | None = None
    reading: Reading = field(default_factory=no_reading)
    message: str = ""
    time: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers for JSON, without pixels."""
        frame = self.frame
        return {
            "event": self.kind,
            "time": self.time,
            "frame": None if frame is None else frame.index,
            "name": "" if frame is None else frame.name,
            "message": self.message,
            "reading": self.reading.to_dict(),
        }
