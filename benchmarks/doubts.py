"""How well `lines prepare --check-labels` finds wrong labels: one is planted in each line.

python -m benchmarks.doubts SET [SET ...] --limit 150

Each line of the sets (shards or labeled folders of lines) is read once. Counted are the right
labels that are doubted, and the planted ones: the label of another line, one character changed, one
character missing. The earlier rule, a reading with a confidence of 0.9, is counted beside.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from sdk import Reader
from sdk.arguments import positive_int
from sdk.metrics import letters_and_digits
from sdk.native_notes import native_notes_to_log
from sdk.results import TextLine
from training.data.sets import read_samples
from training.prepare.doubts import is_doubtful, log_odds

ALPHABETS = ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
KINDS = ("right", "other text", "changed", "missing")
RULES: dict[str, Callable[[TextLine, float], bool]] = {
    "confidence 0.9": lambda line, _: line.confidence >= 0.9,
    "odds": is_doubtful,
}


def lines_of(folder: Path, limit: int) -> list[tuple[np.ndarray, str]]:
    """Return the first line images of a set with their labels."""
    rows = (row for row in read_samples(folder, "all") if "text" in row[1])
    return [(image, record["text"]) for image, record in islice(rows, limit)]


def planted(text: str, others: list[str], rng: random.Random) -> Iterator[str]:
    """Yield the label itself and a wrong one of each kind of `KINDS`."""
    yield text
    yield rng.choice(others)
    at = rng.randrange(len(text))
    pool = next((a for a in ALPHABETS if text[at] in a), ALPHABETS[1])
    yield text[:at] + rng.choice(pool.replace(text[at], "")) + text[at + 1 :]
    yield text[:at] + text[at + 1 :]


def count(reader: Reader, folder: Path, limit: int) -> dict[str, list[list[bool]]]:
    """Return whether each label is doubted, by rule and kind."""
    lines = lines_of(folder, limit)
    texts, rng = [text for _, text in lines], random.Random(1)
    found: dict[str, list[list[bool]]] = {rule: [[] for _ in KINDS] for rule in RULES}
    for image, text in lines:
        line = reader.read_line(image, lattice=True)
        for kind, label in enumerate(planted(text, texts, rng)):
            if kind and letters_and_digits(label) == letters_and_digits(text):
                continue  # not wrong
            odds = log_odds(line, label)
            for rule, is_doubted in RULES.items():
                found[rule][kind].append(odds is not None and is_doubted(line, odds))
    return found


@native_notes_to_log()
def main() -> None:
    """Print a table of all sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--limit", type=positive_int, default=150, help="lines of each set")
    options = parser.parse_args()
    print(f"| set | lines | rule | {' | '.join(KINDS)} |")
    print("| --- | ---: | --- |" + " ---: |" * len(KINDS))
    with Reader() as reader:
        for folder in options.sets:
            for rule, kinds in count(reader, folder, options.limit).items():
                shares = " | ".join(f"{np.mean(doubted):.1%}" for doubted in kinds)
                print(f"| {folder.name} | {len(kinds[0])} | {rule} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
