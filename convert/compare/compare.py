"""Comparison of variants in one run: size, time, memory and accuracy.

Each variant reads every picture, in an order that changes from picture to picture, so that other
work of the machine affects all variants equally. The results of each picture are appended to a
file, and the same command resumes after a stop.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from convert.compare.reader_process import ReaderProcess, TimedReading, running_readers
from convert.errors import ConvertError
from convert.source.samples import by_name
from sdk.errors import SdkError
from sdk.files import write_atomically
from sdk.metrics import edit_distance, letters_and_digits, match_quads
from sdk.model.bundle import Bundle

__all__ = ["Entry", "Totals", "compare", "entries_of", "totals_of"]

ROWS = "rows.jsonl"


@dataclass(frozen=True)
class Entry:
    """A variant of a comparison.

    Attributes:
        name: Name in tables.
        bundle: Folder of its bundle.
        variant: Its name in the bundle.
        megabytes: Size of its files in MB.
        digest: Digest of its files and settings.
    """

    name: str
    bundle: Path
    variant: str
    megabytes: float
    digest: str


@dataclass
class Totals:
    """Totals of a variant, on one set or on all sets.

    Attributes:
        strings: Number of labeled strings.
        right: Number of strings read right, by letters and digits, upper-cased.
        gained: Number of strings right with this variant but not with the first.
        lost: Number of strings right with the first variant but not with this one.
        characters: Number of characters in the labels.
        edits: Number of edits from the readings to the labels.
        line_ms: Times of line images in ms.
        photo_ms: Times of photos in ms.
        peak_mib: Peak memory of the reader's process in MiB.
    """

    strings: int = 0
    right: int = 0
    gained: int = 0
    lost: int = 0
    characters: int = 0
    edits: int = 0
    line_ms: list[float] = field(default_factory=list)
    photo_ms: list[float] = field(default_factory=list)
    peak_mib: float = 0.0

    @property
    def string_share(self) -> float:
        """Share of strings read right; NaN without strings."""
        return self.right / self.strings if self.strings else math.nan

    @property
    def character_share(self) -> float:
        """1 minus edits per character, at least 0; NaN without characters."""
        return max(0.0, 1 - self.edits / self.characters) if self.characters else math.nan

    def median_ms(self, kind: str) -> float:
        """Return the median time of "line" or "photo" pictures in ms; NaN without pictures."""
        times: list[float] = getattr(self, f"{kind}_ms")
        return statistics.median(times) if times else math.nan


def entries_of(bundles: Sequence[Path], variants: Sequence[str] = ()) -> list[Entry]:
    """Return the variants of bundles, in the order of their manifests.

    Args:
        bundles: Folders of the bundles.
        variants: Names of the variants; empty for all.

    Raises:
        ConvertError: A bundle is damaged, or no bundle has such a variant.
    """
    found = []
    try:
        for folder in bundles:
            manifest = Bundle.open(folder).manifest
            for variant, graphs in manifest.variants.items():
                if variants and variant not in variants:
                    continue
                name = variant if len(bundles) == 1 else f"{folder.resolve().name}/{variant}"
                size = sum(graph.bytes for graph in graphs.values()) / 1e6
                digest = "".join(graph.sha256 for graph in graphs.values())
                digest += json.dumps([manifest.decode.to_dict(), dict(manifest.temperature)])
                digest = hashlib.sha256(digest.encode()).hexdigest()
                found.append(Entry(name, folder, variant, size, digest))
    except SdkError as error:
        raise ConvertError(str(error)) from error
    if not found:
        raise ConvertError(f"None of the bundles has a variant {' or '.join(variants)}.")
    if len({entry.name for entry in found}) < len(found):
        raise ConvertError("Two bundles have the same folder name; rename one.")
    return found


def score(record: dict[str, Any], read: TimedReading) -> tuple[list[bool], int, int]:
    """Compare the reading of a picture with its labels, by letters and digits, upper-cased.

    A line image is right if its text equals the label. In a photo, where a label may be a part of a
    line, a string is right if it occurs in the reading; its edits are those to the line on its
    quad, or all of its characters without such a line.

    Args:
        record: Row of labels of the picture.
        read: The reading.

    Returns:
        Whether each string is right, number of edits, and number of characters.
    """
    texts = [letters_and_digits(text) for text in read.texts]
    if read.quads is None:
        want = letters_and_digits(record["text"])
        return [texts[0] == want], edit_distance(want, texts[0]), len(want)
    labels = [t for t in record["texts"] if t["quad"] and not t.get("ignore")]
    wanted = [letters_and_digits(t["text"]) for t in labels]
    quads = np.array([t["quad"] for t in labels], np.float32).reshape(-1, 4, 2)
    edits = [len(want) for want in wanted]
    for i, j in match_quads(read.quads, quads)[0]:
        edits[j] = min(edits[j], edit_distance(wanted[j], texts[i]))
    right = [any(want in text for text in texts) for want in wanted]
    return right, sum(edits), sum(map(len, wanted))


def compare(
    entries: Sequence[Entry],
    sets: Sequence[Path],
    out: Path,
    limit: int | None = None,
    threads: int | None = None,
    say: Callable[[str], None] = lambda message: None,
    force: bool = False,
) -> list[dict[str, Any]]:
    """Read labeled pictures with all variants.

    Args:
        entries: The variants.
        sets: Folders of shards, or with a ``labels.jsonl``.
        out: Folder for the results.
        limit: Greatest number of pictures of a set.
        threads: Number of CPU threads; None takes the SDK's default.
        say: Called with messages on the progress.
        force: Whether results of another comparison may be replaced.

    Returns:
        A row for each picture.

    Raises:
        ConvertError: Two sets have the same name, a set or bundle cannot be read, the results
            cannot be written, or `out` holds results of another comparison.
    """
    folders = by_name(sets)
    key = {
        "entries": [[e.name, e.digest] for e in entries],
        "sets": [str(path) for path in sets],
        "limit": limit,
        "threads": threads,
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        rows = _earlier(out / ROWS, key, force)
        done = {(row["set"], row["picture"]) for row in rows}
        names = [(e.name, e.bundle, e.variant) for e in entries]
        with running_readers(names, threads) as readers:
            # after the start of the readers: an unusable bundle must not delete earlier results
            _begin(out / ROWS, key, rows)
            with (out / ROWS).open("a", encoding="utf-8") as file:
                for name, path in folders.items():
                    say(name)
                    for number, (image, record) in enumerate(islice(_pictures(path), limit)):
                        if (name, number) in done:
                            continue
                        row = {"set": name, "picture": number}
                        row |= _row(readers, image, record, number)
                        rows.append(row)
                        file.write(json.dumps(row) + "\n")
                        file.flush()
                        if (number + 1) % _SAY_EVERY == 0:
                            say(f"{name}: {number + 1} pictures")
        return rows
    except OSError as error:
        raise ConvertError(
            f"Cannot write the results to {out}: {error.strerror or error}. Make room or choose "
            "another --out; the same command resumes."
        ) from error


_SAY_EVERY = 50


def _earlier(path: Path, key: dict[str, Any], force: bool) -> list[dict[str, Any]]:
    """Return the rows of an earlier run of the same comparison."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[0] == json.dumps(key):
        # an incomplete last row of a killed run has no end of line
        return [json.loads(line) for line in lines[1:-1]]
    if not force:
        raise ConvertError(
            f"{path.parent} holds another comparison. Use --force to replace it, or choose "
            "another --out."
        )
    return []


def _begin(path: Path, key: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Rewrite the file of results with the rows that stay."""
    text = "".join(json.dumps(row) + "\n" for row in (key, *rows))
    try:
        write_atomically(path, text.encode())
    except SdkError as error:
        raise ConvertError(str(error)) from error


def _pictures(path: Path) -> Iterable[tuple[np.ndarray, dict[str, Any]]]:
    from training.data.sets import read_samples
    from training.data.shards import ShardError
    from training.errors import TrainingError

    try:
        yield from read_samples(path)
    except (TrainingError, ShardError, SdkError) as error:
        raise ConvertError(f"Cannot compare on {path}: {error}") from error


def _row(
    readers: Sequence[ReaderProcess], image: np.ndarray, record: dict[str, Any], number: int
) -> dict[str, Any]:
    is_line = "text" in record
    results: list[dict[str, Any]] = [{} for _ in readers]
    for turn in range(len(readers)):
        i = (turn + number) % len(readers)
        read = readers[i].read(image, is_line)
        right, edits, characters = score(record, read)
        results[i] = {
            "right": "".join("01"[r] for r in right),
            "edits": edits,
            "characters": characters,
            "ms": round(read.ms, 3),
            "peak_mib": round(read.peak_mib, 1),
        }
    return {"kind": "line" if is_line else "photo", "results": results}


def totals_of(
    rows: Sequence[dict[str, Any]], count: int
) -> tuple[list[Totals], dict[str, list[Totals]]]:
    """Return the totals of the variants, over all sets and by set.

    Args:
        rows: Rows from `compare`.
        count: Number of variants.
    """
    whole = [Totals() for _ in range(count)]
    sets: dict[str, list[Totals]] = {}
    for row in rows:
        part = sets.setdefault(row["set"], [Totals() for _ in range(count)])
        first = row["results"][0]["right"]
        for i, result in enumerate(row["results"]):
            for totals in (whole[i], part[i]):
                _count(totals, result, first, row["kind"])
    return whole, sets


def _count(totals: Totals, result: dict[str, Any], first: str, kind: str) -> None:
    totals.strings += len(result["right"])
    totals.right += result["right"].count("1")
    totals.gained += sum(a > b for a, b in zip(result["right"], first, strict=True))
    totals.lost += sum(a < b for a, b in zip(result["right"], first, strict=True))
    totals.characters += result["characters"]
    totals.edits += result["edits"]
    totals.peak_mib = max(totals.peak_mib, result["peak_mib"])
    getattr(totals, f"{kind}_ms").append(result["ms"])
