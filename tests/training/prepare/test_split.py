"""The split of a journal's items."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from training.prepare.items import Item
from training.prepare.journal import Journal
from training.prepare.split import split_items

COUNT = 3000


def test_names_of_many_pictures_are_not_held_in_memory(tmp_path: Path) -> None:
    long = "x" * 3600
    with Journal(tmp_path / "journal.sqlite") as journal:
        names = (f"{long}{i}.png" for i in range(COUNT))
        journal.fill((Item(name, "12", source=name) for name in names), by_photo=False)
        journal.run("UPDATE item SET outcome = '', text = label, image = 'images/' || id")
        tracemalloc.start()
        split_items(journal, (0.8, 0.1, 0.1), "max(length(text))")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        found = dict(journal.rows("SELECT split, count(*) FROM item GROUP BY split"))
    assert found == {"train": 2400, "validation": 300, "test": 300}
    assert peak < COUNT * len(long) / 4
