"""A journal with many rows: what is found in it takes no memory for each row."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from training.prepare.duplicates import drop_duplicates
from training.prepare.examine import TextRules
from training.prepare.items import Item
from training.prepare.journal import Journal
from training.prepare.report import Summary, summarize

ROWS, PICTURES = 60_000, 300
LEAST_ROW_BYTES = 56
"""A tuple of one number."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """All rows name a few pictures, one of which has another text in its last row."""
    with Journal(tmp_path / "journal.sqlite") as opened:
        items = (Item(f"{i % PICTURES}.png", "LOT 7", source=str(i)) for i in range(ROWS))
        opened.fill(items, by_photo=False)
        opened.run(
            "UPDATE item SET outcome = '', text = label, place = '', "
            "image = 'images/' || (id / 1000) || '/' || id, "
            f"digest = CAST(id % {PICTURES} AS BLOB), width = 60 + id * 7 % 91, height = 20"
        )
        opened.run(f"UPDATE item SET text = 'LOT 1' WHERE id = {ROWS - 1}")
        yield opened


def peak_of(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def summary(journal: Journal) -> Summary:
    return summarize(journal, "a table", "lines", TextRules())


def test_pictures_that_are_there_often_are_dropped(journal: Journal, tmp_path: Path) -> None:
    numbers = (0, PICTURES, PICTURES - 1, 10 * PICTURES)
    kept, again, contradicted, far = (tmp_path / f"images/{i // 1000}/{i}" for i in numbers)
    for path in (kept, again, contradicted, far):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert peak_of(lambda: drop_duplicates(journal, tmp_path)) < ROWS * LEAST_ROW_BYTES
    found = summary(journal)
    assert found.kept == found.pictures == PICTURES - 1
    assert found.left_out == {
        "picture is there twice": (PICTURES - 1) * (ROWS // PICTURES - 1),
        "same picture with another text": ROWS // PICTURES,
    }
    assert kept.exists() and not again.exists() and not contradicted.exists()
    assert not far.parent.exists()


def test_widths_and_lengths_are_counted(journal: Journal) -> None:
    assert peak_of(lambda: summary(journal).table()) < ROWS * LEAST_ROW_BYTES / 2
    widths = np.sort((60 + np.arange(ROWS) * 7 % 91) * 32 // 20)
    assert summary(journal).widths == (widths[0], widths[ROWS // 2], widths[-1])
    assert summary(journal).lengths == {5: ROWS}
