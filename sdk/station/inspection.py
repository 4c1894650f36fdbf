"""What a station tells of a frame: the picture, its reading and the verdict, in one value."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.live.camera import Frame
from sdk.results import Reading
from sdk.station.verdict import Verdict

__all__ = ["Inspection"]


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """A frame, what was read in it, and the verdict on the product that it shows.

    Attributes:
        frame: The frame.
        reading: What was read in it; of a new verdict the reading that was judged, which several
            frames of a live camera voted for.
        ms: Milliseconds that reading the frame took.
        verdict: The verdict on the product in this frame, None while there is none. Unless it is
            new, the texts of `reading` are those that were judged.
        record: The verdict's id in the history; None if it is not recorded.
        is_new: Whether the verdict was given on this frame.
    """

    frame: Frame
    reading: Reading
    ms: float
    verdict: Verdict | None = None
    record: int | None = None
    is_new: bool = False
