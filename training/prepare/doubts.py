"""Labels that the packaged model doubts: lines that it reads otherwise.

The measure is the logarithm of how many times likelier the reading is than the label, under the
network's output for the line (the forward algorithm of CTC). A likelihood ratio separates wrong
labels from wrong readings better than the confidence of the reading: a misread line has the label
among its likely texts, a mislabeled one has not. A reading that is the label of a line nearby is a
sign of rows that were shifted or exchanged. People decide, on the sheet of doubtful lines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from sdk import Reader
from sdk.errors import SdkError
from sdk.image.load import load_image
from sdk.metrics import letters_and_digits
from sdk.results import TextLine
from training.prepare.form import line_of, quad_of
from training.prepare.journal import Journal
from training.progress import Progress

__all__ = ["doubt_labels", "is_doubtful", "log_odds"]

_LEAST_LOG_ODDS = 8.0
"""Natural logarithm of the odds from which a label is doubted; chosen on generated lines."""
_MOST_LOG_ODDS = 999.0
_LEAST_CONFIDENCE = 0.7
_NEAR = 2
"""Rows before and after a line whose labels its reading is compared with."""
_LEAST_SHARED = 3
"""Characters of a reading that is no label of another line by chance."""
_BATCH = 64

_OTHER, _NEIGHBOR = (
    "packaged model reads another text",
    "packaged model reads the label of a neighbor",
)


def doubt_labels(journal: Journal, out: Path) -> None:
    """Write the packaged model's reading of each kept text, and a doubt where it differs.

    Args:
        journal: Journal with all items examined.
        out: Folder with the pictures.

    Raises:
        SdkError: The model cannot be opened.
    """
    total = journal.number("SELECT count(*) FROM item WHERE outcome = ''")
    progress = Progress("prepare", "texts read", total)
    progress.start_at(total - journal.number(f"SELECT count(*) FROM {_UNREAD}"))
    with contextlib.closing(Reader()) as reader:
        last = -1
        while rows := journal.rows(
            f"SELECT id, image, place, text FROM {_UNREAD} AND id > ? ORDER BY id LIMIT {_BATCH}",
            (last,),
        ):
            last = rows[-1][0]
            journal.change(
                "UPDATE item SET reading = ?, log_odds = ?, doubt = CASE ? WHEN '' THEN doubt "
                "ELSE ? END WHERE id = ?",
                list(_judgments(reader, out, rows)),
            )
            progress.advance(len(rows))
    progress.finish()
    journal.run(
        f"UPDATE item SET doubt = '{_NEIGHBOR}' WHERE outcome = '' AND reading != text "
        f"AND length(reading) >= {_LEAST_SHARED} AND EXISTS (SELECT 1 FROM item AS o "
        f"WHERE o.id BETWEEN item.id - {_NEAR} AND item.id + {_NEAR} AND o.text = item.reading)"
    )


_UNREAD = "item WHERE outcome = '' AND reading IS NULL"


def _judgments(
    reader: Reader, out: Path, rows: list[tuple[int, str, str, str]]
) -> Iterator[tuple[str, float | None, str, str, int]]:
    """Yield reading, odds, doubt twice, and number of items of the journal."""
    name, picture = "", None
    for number, image, place, text in rows:
        try:
            if image != name or picture is None:  # the texts of a photo follow each other
                name, picture = image, load_image(out / image)
            line = reader.read_line(line_of(picture, quad_of(place)), lattice=True)
        except SdkError:  # a picture too small to read
            yield "", None, "", "", number
            continue
        odds = log_odds(line, text)
        doubt = _OTHER if odds is not None and is_doubtful(line, odds) else ""
        yield line.text, odds, doubt, doubt, number


def log_odds(line: TextLine, label: str) -> float | None:
    """Return the logarithm of how many times likelier a line's reading is than its label.

    Args:
        line: The line, read with its lattice.
        label: The label.

    Returns:
        At most 999, whatever the case of the label's letters. None if both are the same letters and
        digits, or if the model does not know a character of the label, which makes the label
        impossible, not wrong.
    """
    lattice = line.lattice()
    if letters_and_digits(line.text) == letters_and_digits(label):
        return None
    if any(c not in lattice.charset for c in label):
        return None
    # labels in capitals may stand for small letters
    cases = (_cased(text, line.text) for text in (label, label.lower(), label.upper()))
    wanted = max(lattice.log_probability(text) for text in {label, *cases})
    return min(lattice.log_probability(line.text) - wanted, _MOST_LOG_ODDS)


def _cased(label: str, reading: str) -> str:
    """Return a label with the case of the letters that the reading has at the same place."""
    letters = list(label)
    a, b = ("".join(c.lower()[0] for c in text) for text in (label, reading))
    for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        letters[block.a : block.a + block.size] = reading[block.b : block.b + block.size]
    return "".join(letters)


def is_doubtful(line: TextLine, odds: float) -> bool:
    """Tell whether a label is doubted by the reading and its `log_odds` against the label."""
    return line.confidence >= _LEAST_CONFIDENCE and odds >= _LEAST_LOG_ODDS
