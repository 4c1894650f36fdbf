"""A labeled folder from pictures of lines, or photos, and any common form of labels.

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
from training.prepare.duplicates import drop_duplicates
from training.prepare.examine import TextRules
from training.prepare.form import Form
from training.prepare.items import Item
from training.prepare.journal import Journal
from training.prepare.report import Summary, draw_sheets, summarize
from training.prepare.source import Source, Wanted, find_source
from training.prepare.split import parse_shares, split_items
from training.progress import Progress

__all__ = ["MAPS", "Preparation", "prepare"]

MAPS = ("char2int.json", "int2char.json")
"""Files with the class number of each character, and the character of each class number."""

_log = logging.getLogger("training")

_JOURNAL = "journal.sqlite"
# Longest example in a message, characters.
_LONGEST_EXAMPLE = 100
_BATCH = 512
_PARTS = 4


@dataclass(frozen=True)
class Preparation:
    """What to prepare, and how.

    Attributes:
        form: Form of the labeled folder: `LINES` or `PHOTOS`.
        folder: Folder of pictures.
        out: Labeled folder to write.
        wanted: Source of the labels.
        rules: Rules for texts.
        shares: Shares of training, validation and test, see `parse_shares`.
        group: Regular expression for names of pictures, whose first group is the name of the
            source; empty for a source of its own for each picture.
        check: Whether the packaged model reads the pictures, to find doubtful labels.
    """

    form: Form
    folder: Path
    out: Path
    wanted: Wanted = field(default_factory=Wanted)
    rules: TextRules = field(default_factory=TextRules)
    shares: str = "80/10/10"
    group: str = ""
    check: bool = False


def prepare(job: Preparation) -> Summary:
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
        count = journal.fill(_grouped(source.items(), job.group), by_photo=job.form.by_photo)
        if not count:
            raise TrainingError(f"{source.what} holds no label.")
        journal.set("job", settings)
    _examine(job, source, out, journal)
    drop_duplicates(journal, out)
    summary = summarize(journal, source.what, job.form.units, job.rules)
    if not summary.kept:
        raise TrainingError(
            f"No text of {source.what} can be used: {summary.reasons()}. {_advice(summary, job)}"
        )
    if len(summary.characters) < 2:
        raise TrainingError(
            f"All texts consist of the one character {next(iter(summary.characters))!r}: a network "
            "learns nothing from them. Are these the labels?"
        )
    try:
        split_items(journal, shares, job.form.stratum)
    except TrainingError as error:
        unused = f" Not used: {summary.reasons()}." if summary.reasons() else ""
        raise TrainingError(f"{error}{unused}") from error
    if job.check:
        doubt_labels(journal, out)
    summary = summarize(journal, source.what, job.form.units, job.rules)
    _write(job.form, summary, out, journal)
    draw_sheets(journal, out, job.form.tile)
    return summary


def _settings(job: Preparation, source: Source) -> dict[str, Any]:
    """Return all that determines the examination, as JSON has it."""
    rules, files = job.rules, [path.stat() for path in source.files]
    values = {
        "form": job.form.command,
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
    examiner = job.form.examiner(job.folder, near, out, job.rules)
    total = journal.number("SELECT count(*) FROM item")
    progress = Progress("prepare", "texts", total)
    progress.start_at(journal.number("SELECT count(*) FROM item WHERE outcome IS NOT NULL"))
    cores = usable_cores()
    with ThreadPoolExecutor(cores) as pool:
        last = -1
        while units := journal.unexamined(_BATCH, last):
            rows = [row for unit in units for row in unit]
            last = rows[-1].id
            # a row without a picture takes less time than its way to a thread
            size = max(1, len(units) // (_PARTS * cores))
            parts = [units[i : i + size] for i in range(0, len(units), size)]
            found = [f for findings in pool.map(examiner.examine_all, parts) for f in findings]
            journal.write_findings((row.id, f) for row, f in zip(rows, found, strict=True))
            progress.advance(len(rows))
    progress.finish()


def _advice(summary: Summary, job: Preparation) -> str:
    unused = {**summary.left_out, **summary.ignored}
    worst = max(unused, key=unused.__getitem__)
    example = summary.examples[worst]
    if len(example) > _LONGEST_EXAMPLE:
        example = f"{example[:_LONGEST_EXAMPLE]}…"
    advice = {
        "picture missing": f"{example!r} was looked for in {job.folder} and its folder images. "
        "Give the folder that the paths are relative to.",
        "character outside the charset": f"An example: {example!r}. Give --charset auto to take "
        "all characters of the texts.",
        **job.form.advice,
    }
    return advice.get(worst, f"An example: {example!r}.")


def _write(form: Form, summary: Summary, out: Path, journal: Journal) -> None:
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
                "place",
                "split",
                "source",
                "width",
                "height",
                "least_width",
                "doubt",
                "log_odds",
                "reading",
            ]
        )
        writer.writerows(
            journal.each(
                "SELECT picture, label, CASE outcome WHEN '' THEN 'kept' ELSE outcome END, text, "
                "image, place, split, source, width, height, needed, doubt, log_odds, reading "
                "FROM item ORDER BY id"
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
        for row in form.rows(journal):
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
