"""What a stream tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sdk.live.camera.base import Frame
from sdk.results import Reading


def no_reading() -> Reading:
    """Return a reading of no picture."""
    return Reading((), 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class StreamEvent:
    """Something that happened to the product in view, or to the camera.

    Attributes:
        kind: "settled": a product's reading is sure; "changed": a settled reading is another now;
            "cleared": the product has left; "lost": the camera does not answer and is being opened
            again; "back": it is there again; "skipped": a picture of a folder cannot be read.
        frame: The frame that settled, changed or cleared it; None for what happens to the camera.
        reading: The voted lines, in pixels of the frame; for "cleared" the last ones; else none.
        message: What is wrong, for "lost" and "skipped".
        time: When the frame was taken, else when it happened; Unix seconds.
    """

    kind: str
    frame: Frame | None = None
    reading: Reading = field(default_factory=no_reading)
    message: str = ""
    time: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers, ready for JSON; pixels are left out."""
        frame = self.frame
        return {
            "event": self.kind,
            "time": self.time,
            "frame": None if frame is None else frame.index,
            "name": "" if frame is None else frame.name,
            "message": self.message,
            "reading": self.reading.to_dict(),
        }
