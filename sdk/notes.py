"""What a reading says that it may lack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.detect.detector import DetectedLine
from sdk.geometry import side_lengths
from sdk.note import Note
from sdk.results import TextLine

__all__ = ["note_gaps"]

# Characters lower than this many of the photo's own pixels are hardly told apart.
READABLE_PX = 8.0


def note_gaps(
    found: Sequence[DetectedLine],
    read: Sequence[DetectedLine],
    kept: Sequence[TextLine],
    most: int,
) -> tuple[Note, ...]:
    """Return what a reading may lack, empty if there is nothing to say.

    Args:
        found: The lines that were found.
        read: Those of them that were read.
        kept: Those that the reading holds.
        most: Most lines that the model reads; fewer are what the caller wanted.
    """
    notes = []
    if len(found) > most:
        notes.append(
            Note(
                "lines_left_out",
                f"{len(found)} lines were found, and only the surest {len(read)} read. "
                "Read a part of the picture at a time.",
            )
        )
    if not found:
        notes.append(
            Note(
                "nothing_found",
                "No line of text was found, neither small nor large. Text that is faint, steeply "
                "seen, or lower than 8 pixels is not; a picture of a single line is read by "
                "read_line, or --line.",
            )
        )
    elif read and not kept:
        notes.append(
            Note(
                "nothing_read",
                f"{len(read)} lines were found, and none was read surely enough. "
                "min_confidence=0, or --min-confidence 0, gives what they read like.",
            )
        )
    heights = [float(side_lengths(line.quad)[1]) for line in read]
    if heights and np.median(heights) < READABLE_PX:
        notes.append(
            Note(
                "text_too_small",
                f"Half of the {len(heights)} lines found are lower than {READABLE_PX:g} pixels, "
                "which is too small to be read surely. Take the picture from nearer, or larger.",
            )
        )
    return tuple(notes)
