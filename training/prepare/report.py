"""What a preparation found: counts, statistics, and sheets of pictures with their texts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sdk.image.load import load_image
from sdk.rectify.crop import scale_crop
from training.evaluate.preview import captioned, save_sheet
from training.prepare.examine import TextRules
from training.prepare.journal import Journal

__all__ = ["Summary", "draw_sheets", "summarize"]

_TILES = 96
_WIDEST_TILE_PX = 390


@dataclass(frozen=True)
class Summary:
    """What a labeled folder holds and what was left out.

    Attributes:
        what: Source of the labels.
        kept: Number of lines in the folder.
        splits: Number of lines by split.
        sources: Number of source pictures.
        left_out: Number of items left out, by reason.
        doubts: Number of kept lines that may be wrong, by reason.
        examples: Original path of the first item by reason.
        lengths: Number of lines by length of the text.
        characters: Number of times that each character occurs.
        widths: Least, median and greatest width in px at a height of 32 px.
        symbols: Characters of the network, in the order of their class numbers from 1.
    """

    what: str
    kept: int
    splits: dict[str, int]
    sources: int
    left_out: dict[str, int]
    doubts: dict[str, int]
    examples: dict[str, str]
    lengths: dict[int, int]
    characters: dict[str, int]
    widths: tuple[int, ...]
    symbols: str

    def reasons(self) -> str:
        """Return the reasons for leaving out, with their counts."""
        return ", ".join(f"{count} {reason}" for reason, count in self.left_out.items())

    def json(self) -> str:
        """Return all values as JSON."""
        values: dict[str, Any] = {**vars(self), "charset": self.symbols}
        values.pop("symbols")
        return json.dumps(values, ensure_ascii=False, indent=1)

    def table(self) -> str:
        """Return the counts as text for people."""
        parts = ", ".join(f"{name} {count:,}" for name, count in self.splits.items())
        rows = [f"{self.kept:,} lines of {self.sources:,} sources from {self.what}: {parts}"]
        for title, counts in (("left out", self.left_out), ("kept, look at them", self.doubts)):
            for reason, count in counts.items():
                rows.append(f"{title}: {count:,} {reason}, such as {self.examples[reason]}")
        lengths = [n for n, count in self.lengths.items() for _ in range(count)] or [0]
        rows.append(
            f"texts of {min(lengths)} to {max(lengths)} characters, {len(self.characters)} "
            f"different ones, width {self.widths[0]} to {self.widths[2]} px at a height of 32 px"
        )
        rare = [c for c, n in self.characters.items() if n < 10]
        if rare:
            rows.append(f"fewer than 10 times each: {' '.join(map(repr, sorted(rare)))}")
        return "\n".join(rows)


def summarize(journal: Journal, what: str, rules: TextRules) -> Summary:
    """Return the counts of a journal.

    Args:
        journal: Journal with all items examined.
        what: Source of the labels.
        rules: Rules for texts, with the charset.
    """
    kept = "FROM item WHERE outcome = ''"
    characters: Counter[str] = Counter()
    for text, count in journal.each(f"SELECT text, count(*) {kept} GROUP BY text"):
        for character in text:
            characters[character] += count
    widths = [w for (w,) in journal.rows(f"SELECT width * 32 / height {kept} ORDER BY 1")] or [0]
    left_out = "FROM item WHERE outcome != ''"
    doubtful = f"{kept} AND doubt != ''"
    return Summary(
        what=what,
        kept=journal.number(f"SELECT count(*) {kept}"),
        splits=dict(
            journal.rows(
                f"SELECT split, count(*) {kept} AND split != '' GROUP BY split ORDER BY 2 DESC"
            )
        ),
        sources=journal.number(f"SELECT count(DISTINCT source) {kept}"),
        left_out=dict(
            journal.rows(f"SELECT outcome, count(*) {left_out} GROUP BY outcome ORDER BY 2 DESC")
        ),
        doubts=dict(
            journal.rows(f"SELECT doubt, count(*) {doubtful} GROUP BY doubt ORDER BY 2 DESC")
        ),
        examples={
            reason: f"{picture} ({label!r})"
            for reason, picture, label, _ in [
                *journal.rows(
                    f"SELECT outcome, picture, label, min(id) {left_out} GROUP BY outcome"
                ),
                *journal.rows(f"SELECT doubt, picture, label, min(id) {doubtful} GROUP BY doubt"),
            ]
        },
        lengths=dict(journal.rows(f"SELECT length(text), count(*) {kept} GROUP BY 1 ORDER BY 1")),
        characters=dict(sorted(characters.items())),
        widths=(widths[0], widths[len(widths) // 2], widths[-1]),
        symbols="".join(sorted(characters)) if rules.charset is None else rules.charset.symbols,
    )


def draw_sheets(journal: Journal, out: Path) -> None:
    """Draw a sheet of samples, and one of the lines that may be wrong, if there are any."""
    # the first bytes of the digests are as good as chance, and the same in each call
    for name, condition in (("samples.png", ""), ("doubtful.png", "AND doubt != ''")):
        rows = journal.rows(
            f"SELECT image, text, reading FROM item WHERE outcome = '' {condition} "
            f"ORDER BY digest LIMIT {_TILES}"
        )
        if rows:
            save_sheet(
                [_tile(out / image, text, reading) for image, text, reading in rows], out / name
            )


def _tile(path: Path, text: str, reading: str) -> np.ndarray:
    picture = scale_crop(load_image(path), _WIDEST_TILE_PX)
    return captioned(picture, f"{text}  |  {reading}" if reading else text)
