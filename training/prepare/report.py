"""What a preparation found: counts, statistics, and sheets of pictures with their texts."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from sdk.image.load import load_image
from sdk.rectify.crop import scale_crop
from training.evaluate.preview import captioned, save_sheet
from training.prepare.examine import TextRules
from training.prepare.form import WIDEST_TILE_PX, Tile, line_of, quad_of
from training.prepare.journal import Journal

__all__ = ["Summary", "draw_sheets", "summarize"]

_TILES = 96


@dataclass(frozen=True)
class Summary:
    """What a labeled folder holds and what was left out.

    Attributes:
        what: Source of the labels.
        units: What the pictures of the folder show.
        pictures: Number of pictures in the folder.
        kept: Number of texts in the folder that can be used.
        splits: Number of pictures by split.
        sources: Number of source pictures.
        left_out: Number of items left out with their picture, by reason.
        ignored: Number of items whose picture is in the folder, but whose text is not used, by
            reason.
        doubts: Number of kept texts that may be wrong, by reason.
        examples: Original path of the first item by reason.
        lengths: Number of texts by length.
        characters: Number of times that each character occurs.
        widths: Least, median and greatest width in px at a height of 32 px.
        symbols: Characters of the network, in the order of their class numbers from 1.
    """

    what: str
    units: str
    pictures: int
    kept: int
    splits: dict[str, int]
    sources: int
    left_out: dict[str, int]
    ignored: dict[str, int]
    doubts: dict[str, int]
    examples: dict[str, str]
    lengths: dict[int, int]
    characters: dict[str, int]
    widths: tuple[int, ...]
    symbols: str

    def reasons(self) -> str:
        """Return the reasons for not using texts, with their counts."""
        counts = (*self.left_out.items(), *self.ignored.items())
        return ", ".join(f"{count} {reason}" for reason, count in counts)

    def json(self) -> str:
        """Return all values as JSON."""
        values: dict[str, Any] = {**vars(self), "charset": self.symbols}
        values.pop("symbols")
        return json.dumps(values, ensure_ascii=False, indent=1)

    def table(self) -> str:
        """Return the counts as text for people."""
        parts = ", ".join(f"{name} {count:,}" for name, count in self.splits.items())
        texts = "" if self.pictures == self.kept else f" with {self.kept:,} texts"
        rows = [
            f"{self.pictures:,} {self.units}{texts} of {self.sources:,} sources from {self.what}: "
            f"{parts}"
        ]
        for title, counts in (
            ("left out", self.left_out),
            ("kept, but not read", self.ignored),
            ("kept, look at them", self.doubts),
        ):
            for reason, count in counts.items():
                rows.append(f"{title}: {count:,} {reason}, such as {self.examples[reason]}")
        lengths = list(self.lengths) or [0]
        rows.append(
            f"texts of {min(lengths)} to {max(lengths)} characters, {len(self.characters)} "
            f"different ones, width {self.widths[0]} to {self.widths[2]} px at a height of 32 px"
        )
        rare = [c for c, n in self.characters.items() if n < 10]
        if rare:
            rows.append(f"fewer than 10 times each: {' '.join(map(repr, sorted(rare)))}")
        return "\n".join(rows)


def summarize(journal: Journal, what: str, units: str, rules: TextRules) -> Summary:
    """Return the counts of a journal.

    Args:
        journal: Journal with all items examined.
        what: Source of the labels.
        units: What the pictures of the folder show.
        rules: Rules for texts, with the charset.
    """
    kept = "FROM item WHERE outcome = ''"
    characters: Counter[str] = Counter()
    for text, count in journal.each(f"SELECT text, count(*) {kept} GROUP BY text"):
        for character in text:
            characters[character] += count
    widths = dict(
        journal.rows(f"SELECT width * 32 / height, count(*) {kept} GROUP BY 1 ORDER BY 1")
    )
    there = "FROM item WHERE image != ''"
    unused = "FROM item WHERE outcome != ''"
    doubtful = f"{kept} AND doubt != ''"
    return Summary(
        what=what,
        units=units,
        pictures=journal.number(f"SELECT count(DISTINCT unit) {there}"),
        kept=journal.number(f"SELECT count(*) {kept}"),
        splits=dict(
            journal.rows(
                f"SELECT split, count(DISTINCT unit) {there} AND split != '' GROUP BY split "
                "ORDER BY 2 DESC"
            )
        ),
        sources=journal.number(f"SELECT count(DISTINCT source) {there}"),
        left_out=_reasons(journal, f"{unused} AND image = ''"),
        ignored=_reasons(journal, f"{unused} AND image != ''"),
        doubts=dict(
            journal.rows(f"SELECT doubt, count(*) {doubtful} GROUP BY doubt ORDER BY 2 DESC")
        ),
        examples={
            reason: f"{picture} ({label!r})"
            for reason, picture, label, _ in [
                *journal.rows(f"SELECT outcome, picture, label, min(id) {unused} GROUP BY outcome"),
                *journal.rows(f"SELECT doubt, picture, label, min(id) {doubtful} GROUP BY doubt"),
            ]
        },
        lengths=dict(journal.rows(f"SELECT length(text), count(*) {kept} GROUP BY 1 ORDER BY 1")),
        characters=dict(sorted(characters.items())),
        widths=_spread(widths),
        symbols="".join(sorted(characters)) if rules.charset is None else rules.charset.symbols,
    )


def _spread(counts: dict[int, int]) -> tuple[int, ...]:
    """Return the least, the median and the greatest of numbers that are counted in their order."""
    if not counts:
        return 0, 0, 0
    values = list(counts)
    upto = list(accumulate(counts.values()))
    return values[0], values[bisect_right(upto, upto[-1] // 2)], values[-1]


def _reasons(journal: Journal, items: str) -> dict[str, int]:
    return dict(journal.rows(f"SELECT outcome, count(*) {items} GROUP BY 1 ORDER BY 2 DESC"))


def draw_sheets(journal: Journal, out: Path, tile: Tile) -> None:
    """Draw a sheet of samples, and one of the lines that may be wrong, if there are any.

    Args:
        journal: Journal with all items examined.
        out: Folder with the pictures.
        tile: Draws a picture with its texts.
    """
    # the first bytes of the digests are as good as chance, and the same in each call
    samples = journal.rows(
        "SELECT unit, image FROM item WHERE image != '' GROUP BY unit ORDER BY min(digest) "
        f"LIMIT {_TILES}"
    )
    doubtful = journal.rows(
        "SELECT image, place, text, reading FROM item WHERE outcome = '' AND doubt != '' "
        f"ORDER BY log_odds DESC, digest LIMIT {_TILES}"
    )
    tiles = [tile(load_image(out / image), _texts(journal, unit)) for unit, image in samples]
    doubts = [_doubt(out / image, *rest) for image, *rest in doubtful]
    for name, pictures in (("samples.png", tiles), ("doubtful.png", doubts)):
        if pictures:
            save_sheet(pictures, out / name)


def _texts(journal: Journal, unit: int) -> list[tuple[str, np.ndarray, bool]]:
    """Return texts, quads and whether they are used, of a picture."""
    found = journal.rows(
        "SELECT text, place, outcome = '' FROM item WHERE unit = ? ORDER BY id", (unit,)
    )
    return [(text, quad_of(place), bool(used)) for text, place, used in found]


def _doubt(path: Path, place: str, text: str, reading: str) -> np.ndarray:
    picture = scale_crop(line_of(load_image(path), quad_of(place)), WIDEST_TILE_PX)
    return captioned(picture, f"{text}  |  {reading}" if reading else text)
