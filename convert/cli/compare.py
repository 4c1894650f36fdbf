"""``python -m convert compare``."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.cli.arguments import say
from convert.errors import ConvertError
from sdk.arguments import positive_int

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    add = parser.add_argument
    add("bundles", nargs="+", type=Path, metavar="BUNDLE")
    add("--data", nargs="+", type=Path, required=True, metavar="DIR", help="labeled sets")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    add("--force", action="store_true", help="replace the results of another comparison")
    add(
        "--variants",
        nargs="+",
        default=[],
        metavar="NAME",
        help="variants to compare (default: all)",
    )
    add("--limit", type=positive_int, metavar="N", help="greatest number of pictures of each set")
    add("--threads", type=positive_int, metavar="N", help="CPU threads (default: the SDK's)")
    parser.set_defaults(call=_compare)


def _compare(options: argparse.Namespace) -> int:
    from convert.compare.compare import compare, entries_of
    from convert.compare.report import as_csv, as_picture, as_text
    from sdk.errors import SdkError
    from sdk.files import write_atomically
    from training.data.sets import find_sets
    from training.errors import TrainingError

    entries = entries_of(options.bundles, options.variants)
    try:
        sets = [path for folder in options.data for path in find_sets(folder)]
    except TrainingError as error:
        raise ConvertError(str(error)) from error
    rows = compare(entries, sets, options.out, options.limit, options.threads, say, options.force)
    text = as_text(entries, rows)
    try:
        write_atomically(options.out / "compare.txt", (text + "\n").encode())
        write_atomically(options.out / "compare.csv", as_csv(entries, rows).encode())
        write_atomically(options.out / "compare.png", as_picture(entries, rows))
    except SdkError as error:
        raise ConvertError(str(error)) from error
    print(text)
    return 0
