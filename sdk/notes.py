"""The notes of a reading on text that it may lack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.detect.detector import DetectedLine
from sdk.geometry import side_lengths
from sdk.note import Note
from sdk.results import TextLine

__all__ = ["note_gaps"]

# Characters lower than this, in pixels of the photo, can hardly be told apart.
READABLE_PX = 8.0


def note_gaps(
    found: Sequence[DetectedLine],
    read: Sequence[DetectedLine],
    kept: Sequence[TextLine],
    most: int,
) -> tuple[Note, ...]:
    """Return the notes of a reading, none if the reading lacks nothing.

    Args:
        found: The lines that were detected.
        read: The detected lines that were read.
        kept: The lines that the reading holds.
        most: Largest number of lines that the model reads. The caller may have asked for fewer.
    """
    notes = []
    if len(found) > most:
        notes.append(
            Note(
                "lines_left_out",
                f"{len(found)} lines were found, and only the {len(read)} lines with the highest "
                "scores were read. Read parts of the picture one after the other.",
            )
        )
    if not found:
        notes.append(
            Note(
                "nothing_found",
                "No line of text was found. Text that is faint, photographed at a steep angle, or "
                "lower than 8 pixels is not found. Read a picture of a single line by read_line, "
                "or --line.",
            )
        )
    elif read and not kept:
        notes.append(
            Note(
                "nothing_read",
                f"{len(read)} lines were found, but none was read with enough confidence. "
                "Use min_confidence=0, or --min-confidence 0, to get their texts.",
            )
        )
    heights = [float(side_lengths(line.quad)[1]) for line in read]
    if heights and np.median(heights) < READABLE_PX:
        notes.append(
            Note(
                "text_too_small",
                f"Half of the {len(heights)} lines found are lower than {READABLE_PX:g} pixels, "
                "too small to be read reliably. Take the picture from nearer, or with more pixels.",
            )
        )
    return tuple(notes)
