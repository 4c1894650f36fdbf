"""Pictures that are there twice, found by the digests in the journal."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from training.prepare.journal import Journal

__all__ = ["drop_duplicates"]


def drop_duplicates(journal: Journal, out: Path) -> None:
    """Leave out pictures that are there twice; all of them if their texts differ.

    Args:
        journal: Journal with all items examined.
        out: Folder with the pictures.
    """
    journal.run("CREATE INDEX IF NOT EXISTS by_unit ON item (unit)")
    journal.run("DROP TABLE IF EXISTS picture")
    journal.run("CREATE TABLE picture (unit INTEGER PRIMARY KEY, image, digest, texts)")
    journal.run(
        "INSERT INTO picture SELECT unit, max(image), max(digest), "
        "group_concat(text || place, char(10)) "
        "FROM (SELECT * FROM item WHERE image != '' ORDER BY id) GROUP BY unit"
    )
    journal.run("CREATE INDEX by_digest ON picture (digest)")
    for outcome, condition, spared in (
        ("same picture with another text", "count(DISTINCT texts) > 1", ""),
        (
            "picture is there twice",
            "count(*) > 1",
            "AND unit NOT IN (SELECT min(unit) FROM picture GROUP BY digest)",
        ),
    ):
        # a table, not a list: a file of labels may name a few pictures a million times
        journal.run("DROP TABLE IF EXISTS dropped")
        journal.run(
            "CREATE TABLE dropped AS SELECT unit, image FROM picture WHERE digest IN "
            f"(SELECT digest FROM picture GROUP BY digest HAVING {condition}) {spared}"
        )
        for (image,) in journal.each("SELECT image FROM dropped"):
            # pathlib would keep the names: it interns them
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{out}/{image}")  # noqa: PTH108
        units = "WHERE unit IN (SELECT unit FROM dropped)"
        journal.run(f"DELETE FROM picture {units}")
        journal.change(f"UPDATE item SET outcome = ?, image = '' {units}", [(outcome,)])
    for folder in (out / "images").glob("*"):
        with contextlib.suppress(OSError):  # it holds pictures
            folder.rmdir()
