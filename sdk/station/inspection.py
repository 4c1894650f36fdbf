"""The result of a station for one frame: picture, reading and verdict in one value."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.live.camera import Frame
from sdk.results import Reading
from sdk.station.verdict import Verdict

__all__ = ["Inspection"]


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """A frame, its reading, and the verdict on the product in the frame.

    Attributes:
        frame: The frame.
        reading: Reading of the frame. With a new verdict, the judged reading, which is the vote of
            several frames of a live camera.
        ms: Time of reading the frame in milliseconds.
        verdict: Verdict on the product in this frame. None before the first verdict. With an
            earlier verdict, the texts of `reading` equal the judged texts.
        record: Id of the verdict in the history. None if the verdict is not recorded.
        is_new: Whether this frame brought the verdict.
    """

    frame: Frame
    reading: Reading
    ms: float
    verdict: Verdict | None = None
    record: int | None = None
    is_new: bool = False
