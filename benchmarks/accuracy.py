"""Accuracy of FOTS-lite and other readers on labeled pictures, set by set, in one run.

python -m benchmarks.accuracy FOLDER [--model BUNDLE ...] [--with rapidocr tesseract] [--only a,b]
    [--limit N] [--json FILE] [--wrong]

FOLDER is a labeled folder, or a folder of labeled folders. docs/evaluation.md explains the columns.
Each reader runs in its own process. The readers take turns picture by picture, so that other work
on the machine affects all of them equally.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import OURS, PEERS, Worker, add_peer_arguments, find_engines, machine, peer
from benchmarks.scores import Score
from sdk.arguments import positive_int
from sdk.errors import SdkError
from sdk.files import write_atomically
from training.data.labels import read_labeled
from training.data.sets import find_sets

COLUMNS = ("exact", "text", "found", "e2e", "whole")

Show = Callable[[str, str, dict[str, Any], list[Any]], None]
"""Receives a reader's label, a picture's name, its row of labels, and the regions read."""


def measure(
    folder: Path, workers: Sequence[Worker], limit: int | None = None, show: Show | None = None
) -> dict[str, Score]:
    """Return the score of each reader on a labeled folder, by the reader's label.

    Args:
        folder: A labeled folder.
        workers: The readers.
        limit: Largest number of pictures.
        show: Called with reader, picture, row and regions of each reading.

    Raises:
        TrainingError: A row is damaged, or is neither of a line nor of a photo.
    """
    scores = {worker.label: Score() for worker in workers}
    for number, (path, row) in enumerate(read_labeled(folder)):
        if number == limit:
            break
        line = "text" in row
        for worker in workers:
            answer = worker.read(path.resolve(), line)
            score, regions = scores[worker.label], answer["regions"]
            score.ms.append(answer["ms"])
            if line:
                score.add_line(row["text"], regions[0][0] if regions else "")
            else:
                score.add_photo(row["texts"], regions, row.get("complete", False))
            if show:
                show(worker.label, row["image"], row, regions)
    return scores


def table(name: str, measures: dict[str, dict[str, float]]) -> str:
    """Return the measures of one set as text, one row per reader."""
    shown = [column for column in COLUMNS if any(column in one for one in measures.values())]
    width = max(map(len, (name, *measures)))
    head = "".join(f"{column:>8}" for column in ("n", *shown, "ms"))
    rows = [f"{name:<{width}}{head}"]
    for reader, one in measures.items():
        shares = "".join(f"{one[column]:8.3f}" for column in shown)
        rows.append(f"{reader:<{width}}{one['n']:8}{shares}{one['ms']:8.1f}")
    return "\n".join(rows)


def print_wrong(reader: str, picture: str, row: dict[str, Any], regions: list[Any]) -> None:
    """Print a reading that differs from its labels."""
    score = Score()
    if "text" in row:
        label, texts = [row["text"]], [text for text, _ in regions]
        score.add_line(row["text"], texts[0] if texts else "")
        wrong = not score.exact
    else:
        label = [text["text"] for text in row["texts"] if not text.get("ignore")]
        texts = [text for text, _ in regions]
        score.add_photo(row["texts"], regions, row.get("complete", False))
        wrong = score.found < score.labels or score.whole < score.complete
    if wrong:
        print(f"  {reader}: {picture}: {label} read {texts}")


def main() -> None:
    """Measure, print a table for each set, and write JSON on request."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="labeled folder, or folder of labeled folders")
    parser.add_argument("--model", action="append", help="model bundle; may be repeated")
    parser.add_argument("--only", default="", help="names of sets, separated by commas")
    parser.add_argument("--limit", type=positive_int, help="largest number of pictures of a set")
    parser.add_argument("--wrong", action="store_true", help="print wrong readings")
    parser.add_argument(
        "--with",
        dest="peers",
        nargs="*",
        type=peer,
        default=["rapidocr", "tesseract"],
        metavar="READER",
        help=f"readers beside FOTS-lite, of {', '.join(PEERS)}, and tesseract:deu for other "
        "languages of Tesseract (default: rapidocr tesseract)",
    )
    add_peer_arguments(parser)
    args = parser.parse_args()
    try:
        folders = find_sets(args.folder, args.only)
        results = _measure_all(args, folders)
    except SdkError as error:
        raise SystemExit(f"ERROR: {error}") from error
    if args.json:
        result = {**machine(), "limit": args.limit, **results}
        write_atomically(args.json, (json.dumps(result, indent=1) + "\n").encode())


def _measure_all(args: argparse.Namespace, folders: Sequence[Path]) -> dict[str, Any]:
    pythons = find_engines(args.peers, args.peers_folder, args.install)
    workers = [Worker(OURS, pythons[OURS], model) for model in dict.fromkeys(args.model or [None])]
    workers += [Worker(name, python) for name, python in pythons.items() if name != OURS]
    names = {worker.label: worker.name for worker in workers}
    for label, name in names.items():
        print(f"{label}: {name}")
    sets = {}
    for folder in folders:
        print()
        scores = measure(folder, workers, args.limit, print_wrong if args.wrong else None)
        sets[folder.name] = {label: score.measures() for label, score in scores.items()}
        print(table(folder.name, sets[folder.name]), flush=True)
    for worker in workers:
        worker.end()
    return {"readers": names, "sets": sets}


if __name__ == "__main__":
    main()
