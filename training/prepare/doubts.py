"""Labels that the packaged model doubts: lines that it reads surely, and otherwise.

A sure reading that differs from its label is more often a wrong label than a wrong reading; people
decide, on the sheet of doubtful lines.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from sdk import Reader
from sdk.errors import SdkError
from sdk.image.load import load_image
from sdk.metrics import letters_and_digits
from training.prepare.journal import Journal
from training.progress import Progress

__all__ = ["doubt_labels"]

_SURE = 0.9
_BATCH = 64


def doubt_labels(journal: Journal, out: Path) -> None:
    """Write the packaged model's reading of each kept line, and a doubt where it differs.

    Args:
        journal: Journal with all items examined.
        out: Folder with the pictures.

    Raises:
        SdkError: The model cannot be opened.
    """
    ids = [n for (n,) in journal.rows("SELECT id FROM item WHERE outcome = '' AND reading IS NULL")]
    progress = Progress("prepare", "lines read", len(ids))
    with contextlib.closing(Reader()) as reader:
        for start in range(0, len(ids), _BATCH):
            found = []
            for number in ids[start : start + _BATCH]:
                image, text = journal.rows("SELECT image, text FROM item WHERE id = ?", (number,))[
                    0
                ]
                found.append((*_judged(reader, out / image, text), number))
            journal.change(
                "UPDATE item SET reading = ?, doubt = CASE ? WHEN '' THEN doubt ELSE ? END "
                "WHERE id = ?",
                [(reading, doubt, doubt, number) for reading, doubt, number in found],
            )
            progress.advance(len(found))
    progress.finish()


def _judged(reader: Reader, path: Path, text: str) -> tuple[str, str]:
    """Return the reading of a line, and the doubt."""
    try:
        line = reader.read_line(load_image(path))
    except SdkError:  # a picture too small to read
        return "", ""
    differs = letters_and_digits(line.text) != letters_and_digits(text)
    return (
        line.text,
        "packaged model reads another text" if differs and line.confidence >= _SURE else "",
    )
