"""Deterministic split into training, validation and test, stratified, by source picture.

Sources are ordered by stratum (length of the text, number of texts of a photo), and in a stratum by
a digest of their name. Each source in turn goes to the split that lacks most, so every stratum is
divided by the shares. All lines of one source are on one side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from training.data.labels import SPLITS
from training.errors import TrainingError
from training.prepare.journal import Journal

__all__ = ["parse_shares", "split_items"]

_BOUNDS = (2, 4, 6, 9, 13, 20)
"""Greatest lengths, or numbers, of the strata."""


def parse_shares(text: str) -> tuple[float, ...]:
    """Return the shares of `SPLITS` in a text such as ``80/10/10``; they add up to 1.

    Raises:
        TrainingError: The text is not three numbers, or leaves nothing to train on.
    """
    try:
        parts = [float(part) for part in text.split("/")]
    except ValueError:
        parts = []
    if len(parts) != len(SPLITS) or min(parts) < 0 or parts[0] <= 0:
        raise TrainingError(
            f"--split {text}: give the shares of train/validation/test, the first of them above 0, "
            "such as 80/10/10."
        )
    return tuple(part / sum(parts) for part in parts)


def split_items(journal: Journal, shares: Sequence[float], stratum: str) -> None:
    """Write the split of each item whose picture is kept.

    Items whose source of labels names their split keep it; if some do, the others are for training.

    Args:
        journal: Journal with all items examined.
        shares: Shares of `SPLITS`.
        stratum: SQL expression over the items of a source, see `Form`.

    Raises:
        TrainingError: A split that has a share gets no item.
    """
    if journal.number("SELECT count(*) FROM item WHERE image != '' AND given != ''"):
        journal.run(
            "UPDATE item SET split = CASE given WHEN '' THEN 'train' ELSE given END "
            "WHERE image != ''"
        )
        return
    journal.define("stratum_of", _stratum)
    journal.define("place_of", _place)
    for table in ("source", "division"):
        journal.run(f"DROP TABLE IF EXISTS {table}")
    journal.run(
        "CREATE TABLE source (number INTEGER PRIMARY KEY, name TEXT UNIQUE, size, stratum, place)"
    )
    journal.run(
        "INSERT INTO source (name, size, stratum, place) SELECT source, count(DISTINCT unit), "
        f"stratum_of({stratum}), place_of(source) FROM item WHERE image != '' GROUP BY source"
    )
    journal.run("CREATE TABLE division (number INTEGER PRIMARY KEY, split)")
    taken = [0.0] * len(SPLITS)

    def divided() -> Iterator[tuple[int, str]]:
        for number, size in journal.each("SELECT number, size FROM source ORDER BY stratum, place"):
            total = sum(taken) + size
            lacks = [share * total - have for share, have in zip(shares, taken, strict=True)]
            best = max(range(len(SPLITS)), key=lambda i: (lacks[i], -i))
            taken[best] += size
            yield number, SPLITS[best]

    journal.change("INSERT INTO division VALUES (?, ?)", divided())
    empty = [s for s, share, n in zip(SPLITS, shares, taken, strict=True) if share and not n]
    if empty:
        count = journal.number("SELECT count(*) FROM source")
        there = "One source picture is" if count == 1 else f"{count} source pictures are"
        raise TrainingError(
            f"{there} too few to split: {' and '.join(empty)} would be empty. Label more pictures"
            + (", or change the shares, such as --split 50/50/0." if count > 1 else ".")
        )
    journal.run(
        "UPDATE item SET split = (SELECT split FROM source JOIN division USING (number) "
        "WHERE name = item.source) WHERE image != ''"
    )


def _stratum(amount: int) -> int:
    return sum(amount > bound for bound in _BOUNDS)


def _place(name: str) -> bytes:
    return hashlib.sha1(name.encode(errors="surrogatepass"), usedforsecurity=False).digest()
