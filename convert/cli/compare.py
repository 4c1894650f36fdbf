"""``python -m convert compare``."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.cli.arguments import say
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
    from convert.compare.compare import entries_of
    from convert.compare.results import sets_of, write_comparison

    entries = entries_of(options.bundles, options.variants)
    print(
        write_comparison(
            entries,
            sets_of(options.data),
            options.out,
            say,
            limit=options.limit,
            threads=options.threads,
            force=options.force,
        )
    )
    return 0
