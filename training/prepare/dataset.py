"""A labeled folder from pictures of lines and any common form of labels.

The folder is built beside its place under a temporary name, ``.NAME.unfinished``, and moved into
place when it is complete. An interrupted preparation leaves the temporary folder, in which the next
call goes on; an error removes it.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sdk.engine.cpu import usable_cores
from sdk.errors import SdkError
from sdk.files import open_atomically, write_atomically
from training.data.labels import LABELS
from training.errors import TrainingError
from training.prepare.doubts import doubt_labels
from training.prepare.examine import Examiner, TextRules
from training.prepare.items import Item
from training.prepare.journal import Journal
from training.prepare.report import Summary, draw_sheets, summarize
from training.prepare.source import Source, Wanted, find_source
from training.prepare.split import parse_shares, split_items
from training.progress import Progress

__all__ = ["MAPS", "Preparation", "prepare_lines"]

MAPS = ("char2int.json", "int2char.json")
"""Files with the class number of each character, and the character of each class number."""

_log = logging.getLogger("training")

_JOURNAL = "journal.sqlite"
_BATCH = 512
_CONTRADICTION = "same picture with another text"


@dataclass(frozen=True)
class Preparation:
    """What to prepare, and how.

    Attributes:
        folder: Folder of pictures.
        out: Labeled folder to write.
        wanted: Source of the labels.
        rules: Rules for texts.
        shares: Shares of training, validation and test, see `parse_shares`.
        group: Regular expression for names of pictures, whose first group is the name of the photo
            that the line comes from; empty for a photo of its own for each picture.
        check: Whether the packaged model reads the pictures, to find doubtful labels.
    """

    folder: Path
    out: Path
    wanted: Wanted = field(default_factory=Wanted)
    rules: TextRules = field(default_factory=TextRules)
    shares: str = "80/10/10"
    group: str = ""
    check: bool = False


def prepare_lines(job: Preparation) -> Summary:
    """Write a labeled folder and return what it holds.

    Args:
        job: What to prepare.

    Raises:
        TrainingError: The labels cannot be read, nothing is left to train on, the split leaves a
            part empty, or the folder exists or cannot be written. Nothing is written then.
    """
    shares = parse_shares(job.shares)
    if job.out.exists() and (not job.out.is_dir() or any(job.out.iterdir())):
        raise TrainingError(f"{job.out} exists. Choose another --out, or remove it.")
    if job.out.resolve().is_relative_to(job.folder.resolve()):
        raise TrainingError(f"--out {job.out} lies inside {job.folder}. Choose a place outside.")
    source = find_source(job.folder, job.wanted)
    place = job.out.resolve()
    working = place.with_name(f".{place.name}.unfinished")
    try:
        working.mkdir(parents=True, exist_ok=True)
        with Journal(working / _JOURNAL) as journal:
            summary = _build(job, source, shares, working, journal)
        (working / _JOURNAL).unlink()
        if job.out.exists():
            job.out.rmdir()  # empty
        working.rename(place)
    except (OSError, sqlite3.Error) as error:
        raise TrainingError(
            f"Cannot write {job.out}: {getattr(error, 'strerror', None) or error}. Free some space "
            f"and run the command again, which goes on in {working}; or remove that folder."
        ) from error
    except (TrainingError, SdkError):
        shutil.rmtree(working, ignore_errors=True)
        raise
    return summary


def _build(
    job: Preparation, source: Source, shares: tuple[float, ...], out: Path, journal: Journal
) -> Summary:
    if journal.setting("job") != (settings := _settings(job, source)):
        for path in out.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        if journal.setting("job"):
            _log.info("%s is of other labels or options: starting again", out)
        journal.run("DELETE FROM setting")
        count = journal.fill(_grouped(source.items(), job.group))
        if not count:
            raise TrainingError(f"{source.what} holds no label.")
        journal.set("job", settings)
    _examine(job, source, out, journal)
    _drop_duplicates(out, journal)
    summary = summarize(journal, source.what, job.rules)
    if not summary.kept:
        raise TrainingError(
            f"No line of {source.what} can be used: {summary.reasons()}. {_advice(summary, job)}"
        )
    if len(summary.characters) < 2:
        raise TrainingError(
            f"All texts consist of the one character {next(iter(summary.characters))!r}: a network "
            "learns nothing from them. Are these the labels?"
        )
    split_items(journal, shares)
    if job.check:
        doubt_labels(journal, out)
    summary = summarize(journal, source.what, job.rules)
    _write(job, summary, out, journal)
    draw_sheets(journal, out)
    return summary


def _settings(job: Preparation, source: Source) -> dict[str, Any]:
    """Return all that determines the examination, as JSON has it."""
    rules, files = job.rules, [path.stat() for path in source.files]
    values = {
        "folder": str(job.folder.resolve()),
        "source": source.what,
        "files": [(stat.st_size, stat.st_mtime_ns) for stat in files],
        "group": job.group,
        "charset": rules.charset and rules.charset.symbols,
        "null": [rules.null_text, *rules.null_values],
        "wanted": [job.wanted.encoding, asdict(job.wanted.columns)],
    }
    return dict(json.loads(json.dumps(values)))


def _grouped(items: Iterable[Item], pattern: str) -> Iterator[Item]:
    """Give each item its source: as given, by the pattern, or the picture itself."""
    try:
        expression = re.compile(pattern) if pattern else None
    except re.error as error:
        raise TrainingError(f"--group {pattern!r} is no regular expression: {error}.") from error
    if expression is not None and not expression.groups:
        raise TrainingError(
            f"--group {pattern!r} has no group: put the photo's name in parentheses."
        )
    for item in items:
        found = expression.search(item.picture) if expression else None
        yield replace(item, source=item.source or (found[1] if found else "") or item.picture)


def _examine(job: Preparation, source: Source, out: Path, journal: Journal) -> None:
    near = tuple(dict.fromkeys(path.parent for path in source.files))
    examiner = Examiner(job.folder, near, out, job.rules)
    total = journal.number("SELECT count(*) FROM item")
    progress = Progress("prepare", "lines", total)
    progress.start_at(journal.number("SELECT count(*) FROM item WHERE outcome IS NOT NULL"))
    with ThreadPoolExecutor(usable_cores()) as pool:
        last = -1
        while rows := journal.unexamined(_BATCH, last):
            last = rows[-1].id
            found = pool.map(examiner.examine, rows)
            journal.write_findings((row.id, f) for row, f in zip(rows, found, strict=True))
            progress.advance(len(rows))
    progress.finish()


def _drop_duplicates(out: Path, journal: Journal) -> None:
    journal.run("CREATE INDEX IF NOT EXISTS by_digest ON item (digest)")
    for outcome, condition in (
        (_CONTRADICTION, "count(DISTINCT text) > 1"),
        ("picture is there twice", "count(*) > 1"),
    ):
        spared = "" if outcome == _CONTRADICTION else "AND id != (SELECT min(id) FROM item AS o "
        spared += "" if not spared else "WHERE o.digest = item.digest AND o.outcome = '')"
        found = journal.rows(
            "SELECT id, image FROM item WHERE outcome = '' AND digest IN (SELECT digest FROM item "
            f"WHERE outcome = '' GROUP BY digest HAVING {condition}) {spared}"
        )
        for _, image in found:
            (out / image).unlink(missing_ok=True)
        journal.change(
            "UPDATE item SET outcome = ? WHERE id = ?", [(outcome, number) for number, _ in found]
        )


def _advice(summary: Summary, job: Preparation) -> str:
    worst = max(summary.left_out, key=lambda reason: summary.left_out[reason])
    example = summary.examples[worst]
    advice = {
        "picture missing": f"{example!r} was looked for in {job.folder} and its folder images. "
        "Give the folder that the paths are relative to.",
        "no text": "Is this the column of the text? Name it with --text-column.",
        "character outside the charset": "Give --charset auto to take all characters of the texts.",
    }
    return advice.get(worst, f"An example: {example!r}.")


def _write(job: Preparation, summary: Summary, out: Path, journal: Journal) -> None:
    """Write manifest, maps, statistics and labels."""
    with open_atomically(out / "manifest.csv") as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(
            [
                "original",
                "label",
                "status",
                "text",
                "image",
                "split",
                "source",
                "width",
                "height",
                "least_width",
                "doubt",
                "reading",
            ]
        )
        writer.writerows(
            journal.each(
                "SELECT picture, label, CASE outcome WHEN '' THEN 'kept' ELSE outcome END, text, "
                "CASE outcome WHEN '' THEN image END, split, source, width, height, needed, doubt, "
                "reading FROM item ORDER BY id"
            )
        )
        text.detach()
    symbols = summary.symbols
    numbers = {character: number for number, character in enumerate(symbols, 1)}
    inverse = {"0": "", **{str(number): character for character, number in numbers.items()}}
    for name, values in zip(MAPS, (numbers, inverse), strict=True):
        write_atomically(out / name, json.dumps(values, ensure_ascii=False, indent=1).encode())
    write_atomically(out / "statistics.json", summary.json().encode())
    with open_atomically(out / LABELS) as file:
        for image, label, split, source, case in journal.each(
            "SELECT image, text, split, source, case_counts FROM item WHERE outcome = '' "
            "ORDER BY id"
        ):
            row = {"image": image, "text": label, "split": split, "source": source}
            row |= {} if case else {"case": False}
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
