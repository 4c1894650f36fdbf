"""One table of several variants: size, time, memory and accuracy, all from the same run.

Every picture goes to each variant in turn, the first one changing from picture to picture, so that
what else the machine does meets all of them alike. Each picture's results are kept in a file as
they come; the same command goes on where it was stopped.
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

from convert.compare.reader_process import Contestant, Read, entered
from convert.errors import ConvertError
from convert.source.samples import by_name
from sdk.errors import SdkError
from sdk.files import write_atomically
from sdk.metrics import edit_distance, letters_and_digits, match_quads
from sdk.model.bundle import Bundle

__all__ = ["Entry", "Standing", "compare", "entries_of", "standings"]

ROWS = "rows.jsonl"


@dataclass(frozen=True)
class Entry:
    """A variant that is compared.

    Attributes:
        name: In tables.
        bundle: Folder of its bundle.
        variant: Its name there.
        megabytes: Size of its files.
        digest: Of its files.
    """

    name: str
    bundle: Path
    variant: str
    megabytes: float
    digest: str


@dataclass
class Standing:
    """What a variant reached, on one set or on all.

    Attributes:
        strings: Labelled strings.
        right: Of these, read right, letters and digits, upper-cased.
        gained: Right here but not with the first variant.
        lost: Right with the first variant but not here.
        characters: Characters of the labels.
        edits: Edits from what was read to the labels.
        line_ms: Times of pictures of one line.
        photo_ms: Times of photos.
        peak_mib: Most memory that its process held.
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
        """Share of the strings that were read right; NaN without any."""
        return self.right / self.strings if self.strings else math.nan

    @property
    def character_share(self) -> float:
        """1 minus edits by characters, at least 0; NaN without any."""
        return max(0.0, 1 - self.edits / self.characters) if self.characters else math.nan

    def median_ms(self, kind: str) -> float:
        """Return the median time of "line" or "photo" pictures; NaN without any."""
        times: list[float] = getattr(self, f"{kind}_ms")
        return statistics.median(times) if times else math.nan


def entries_of(bundles: Sequence[Path], variants: Sequence[str] = ()) -> list[Entry]:
    """Return the variants of bundles, in the order of their manifests.

    Args:
        bundles: Their folders.
        variants: Only these; empty takes all.

    Raises:
        ConvertError: A bundle is damaged, or none has such a variant.
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


def score(record: dict[str, Any], read: Read) -> tuple[list[bool], int, int]:
    """Compare what was read in a picture with its labels, letters and digits, upper-cased.

    A line is right if it is the label. In a photo, where a label may be part of a line, a string is
    right if it occurs in the reading; its edits are those to the line that lies on its quad, all
    of its characters if there is none.

    Args:
        record: The picture's row of labels.
        read: What was read.

    Returns:
        Whether each string is right, edits, and characters.
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
    """Read labelled pictures with all variants.

    Args:
        entries: The variants.
        sets: Folders of shards or with a ``labels.jsonl``.
        out: Folder for the results so far.
        limit: Most pictures of a set.
        threads: CPU threads; None takes the SDK's default.
        say: Told how it goes.
        force: Whether results of another comparison may be replaced.

    Returns:
        A row for each picture.

    Raises:
        ConvertError: Two sets have the same name, a set or bundle cannot be read, or the results
            not be written, or `out` holds those of another comparison.
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
        with entered(names, threads) as readers:
            # not before the readers run: what is there must outlive a bundle that cannot be read
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
            "another --out; the same command goes on from what is there."
        ) from error


_SAY_EVERY = 50


def _earlier(path: Path, key: dict[str, Any], force: bool) -> list[dict[str, Any]]:
    """Return the rows of an earlier run of the same comparison."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[0] == json.dumps(key):
        # a row that was being written when the run was killed has no end of line
        return [json.loads(line) for line in lines[1:-1]]
    if not force:
        raise ConvertError(
            f"{path.parent} holds another comparison. Use --force to replace it, or choose "
            "another --out."
        )
    return []


def _begin(path: Path, key: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Write the file of results anew, with the rows that stay."""
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
    readers: Sequence[Contestant], image: np.ndarray, record: dict[str, Any], number: int
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


def standings(
    rows: Sequence[dict[str, Any]], count: int
) -> tuple[list[Standing], dict[str, list[Standing]]]:
    """Return how the variants stand, over all sets and by set.

    Args:
        rows: From `compare`.
        count: Number of variants.
    """
    whole = [Standing() for _ in range(count)]
    sets: dict[str, list[Standing]] = {}
    for row in rows:
        part = sets.setdefault(row["set"], [Standing() for _ in range(count)])
        first = row["results"][0]["right"]
        for i, result in enumerate(row["results"]):
            for standing in (whole[i], part[i]):
                _count(standing, result, first, row["kind"])
    return whole, sets


def _count(standing: Standing, result: dict[str, Any], first: str, kind: str) -> None:
    standing.strings += len(result["right"])
    standing.right += result["right"].count("1")
    standing.gained += sum(a > b for a, b in zip(result["right"], first, strict=True))
    standing.lost += sum(a < b for a, b in zip(result["right"], first, strict=True))
    standing.characters += result["characters"]
    standing.edits += result["edits"]
    standing.peak_mib = max(standing.peak_mib, result["peak_mib"])
    getattr(standing, f"{kind}_ms").append(result["ms"])
