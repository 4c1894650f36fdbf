"""Effect of a charset and a pattern on labeled pictures: readings with and without, side by side.

    python benchmarks/patterns.py labeled/ --charset 0123456789ABC --template "AA 999 AA"

The folder holds ``labels.jsonl`` with rows ``{"image": path, "text": ...}`` for pictures of one
line, or ``{"image": path, "texts": [{"text": ..., "ignore": ...}]}`` for photos. Texts are compared
by letters and digits in upper case. Columns:

    exact   share of labels that are read exactly (pictures of one line)
    found   share of labels that are a line or a part of a line (photos)
    CER     character error rate (pictures of one line)
    fits    share of lines that fit the pattern
    right   share of right lines among these
    ms      median time of a picture
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdk import Reader, Template, load_image
from sdk.arguments import positive_int
from sdk.metrics import character_error_rate, exact_share, letters_and_digits
from sdk.native_notes import native_notes_to_log
from sdk.results import TextLine


@dataclass
class Score:
    """Counts over a folder."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)
    lines: int = 0
    fits: list[bool] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def row(self) -> list[str]:
        """Return the columns of the table."""
        hit = exact_share(self.pairs) if self.pairs else _share(self.found)
        error = f"{character_error_rate(self.pairs):.3f}" if self.pairs else "-"
        fits = f"{len(self.fits) / max(self.lines, 1):.3f}" if self.fits else "-"
        right = f"{_share(self.fits):.3f}" if self.fits else "-"
        return [f"{hit:.3f}", error, fits, right, f"{1e3 * statistics.median(self.times):.0f}"]


@native_notes_to_log()
def main(argv: Sequence[str] | None = None) -> None:
    """Read the folder with all combinations of options, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="folder with labels.jsonl")
    parser.add_argument("--charset", help="characters that may occur")
    parser.add_argument("--pattern", action="append", default=[], help="regular expression")
    parser.add_argument("--template", action="append", default=[], help="such as AA-9999")
    parser.add_argument("--model", help="model bundle (default: the packaged bundle)")
    parser.add_argument("--limit", type=positive_int, help="read the first rows only")
    parser.add_argument("--show", action="store_true", help="print wrong readings")
    args = parser.parse_args(argv)
    text = (args.folder / "labels.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()][: args.limit]
    pattern = [*args.pattern, *map(Template, args.template)]
    ways: dict[str, dict[str, Any]] = {"free": {}}
    if args.charset:
        ways["charset"] = {"charset": args.charset}
    if pattern:
        ways["pattern"] = {"pattern": pattern}
    if args.charset and pattern:
        ways["both"] = {"charset": args.charset, "pattern": pattern}
    print(f"{args.folder.name}, {len(rows)} pictures")
    hit = "exact" if rows and "text" in rows[0] else "found"
    print(_columns("", hit, "CER", "fits", "right", "ms"))
    with Reader(args.model) as reader:
        reader.warm_up()
        for name, options in ways.items():
            score = measure(reader, args.folder, rows, options, args.show)
            print(_columns(name, *score.row()))


def measure(
    reader: Reader, folder: Path, rows: list[dict[str, Any]], options: dict[str, Any], show: bool
) -> Score:
    """Return the score of all pictures with one combination of options."""
    score = Score()
    for row in rows:
        pixels = load_image(folder / row["image"])
        single = "text" in row
        started = time.perf_counter()
        lines = [reader.read_line(pixels, **options)] if single else reader.read(pixels, **options)
        score.times.append(time.perf_counter() - started)
        labels = [row["text"]] if single else _labels(row)
        wanted = [letters_and_digits(label) for label in labels]
        got = [letters_and_digits(line.text) for line in lines]
        if single:
            score.pairs.append((wanted[0], got[0]))
        else:
            score.found += [any(label in text for text in got) for label in wanted]
        score.lines += len(got)
        score.fits += [text in wanted for line, text in zip(lines, got, strict=True) if _fits(line)]
        if show and not all(any(label in text for text in got) for label in wanted):
            print("  ", row["image"], labels, [(x.text, x.raw_text, x.pattern_ok) for x in lines])
    return score


def _labels(row: dict[str, Any]) -> list[str]:
    return [text["text"] for text in row["texts"] if not text.get("ignore")]


def _fits(line: TextLine) -> bool:
    return line.pattern_ok is True


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _columns(name: str, *values: str) -> str:
    return f"{name:<10}" + "".join(f"{value:>8}" for value in values)


if __name__ == "__main__":
    main()
