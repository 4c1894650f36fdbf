"""Damages what the project reads, at random but repeatably, and looks at what happens.

    python -m tests.fuzz --seed 1                   # all parts in full
    python -m tests.fuzz shards --count 100         # one part, so many mutants

Every mutant must be read whole or refused by an error of the project's own. Anything else is a
fault: another exception, a hang, something lost without a word. A part is a module here whose
``run(count, seed)`` returns a report to print, or raises AssertionError for faults. The exit code
is 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import import_module

# Name of a module, and the number of its mutants: in full, and in the tests.
PARTS = {
    "graphs": (500, 8),
    "manifests": (500, 30),
    "pictures": (10_000, 150),
    "shards": (2000, 200),
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--seed", type=int, default=1, help="another one makes other mutants")
    parser.add_argument("--count", type=int, help="mutants of each part")
    options = parser.parse_args(argv)
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    failed = False
    for part in options.parts:
        count, began = options.count or PARTS[part][0], time.monotonic()
        try:
            report = import_module(f"tests.fuzz.{part}").run(count, options.seed)
        except AssertionError as error:
            report, failed = f"FAULT: {error}", True
        seconds = time.monotonic() - began
        print(
            f"{part}: {count} mutants, seed {options.seed}, {seconds:.0f} s\n  {report}", flush=True
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
