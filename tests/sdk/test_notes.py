"""What a reading says that it may lack."""

from __future__ import annotations

import numpy as np
import pytest

from sdk import Reader
from sdk.detect.detector import DetectedLine
from sdk.geometry import box_quads
from sdk.notes import note_gaps
from tests.readings import line


def found(count: int, height: float = 20.0) -> list[DetectedLine]:
    return [
        DetectedLine(box_quads((90, 9 * i), 80, height, 0), 0.9, height, None) for i in range(count)
    ]


def test_a_reading_that_lacks_nothing_says_nothing() -> None:
    assert note_gaps(found(3), found(3), [line("LOT 7")], 4) == ()
    # what the caller left out is no news
    assert note_gaps(found(3), found(1), [line("LOT 7")], 4) == ()
    assert note_gaps(found(3), [], [], 4) == ()


@pytest.mark.parametrize(
    ("all_lines", "read", "kept", "codes"),
    [
        (found(0), found(0), [], ["nothing_found"]),
        (found(2), found(2), [], ["nothing_read"]),
        (found(9), found(4), [line("A")], ["lines_left_out"]),
        (found(9), found(4), [], ["lines_left_out", "nothing_read"]),
        (found(3, 6.0), found(3, 6.0), [line("A")], ["text_too_small"]),
    ],
)
def test_what_is_left_out_is_told(
    all_lines: list[DetectedLine], read: list[DetectedLine], kept: list[object], codes: list[str]
) -> None:
    notes = note_gaps(all_lines, read, kept, 4)  # type: ignore[arg-type]
    assert [note.code for note in notes] == codes
    assert all(note.text.endswith(".") for note in notes)


def test_a_reader_says_so_of_an_empty_picture() -> None:
    with Reader(threads=1) as reader:
        reading = reader.read(np.full((480, 640, 3), 200, np.uint8))
    assert [note.code for note in reading.notes] == ["nothing_found"]
    assert type(reading).from_json(reading.to_json()) == reading
