"""Arguments of ``python -m training diagnose``."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from sdk.arguments import positive_int
from training.cli import network

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", help="run folder")
    source.add_argument("--bundle", help="exported bundle")
    parser.add_argument(
        "--data",
        required=True,
        help="shards, a folder with labels.jsonl, or a folder of such folders",
    )
    parser.add_argument("--out", required=True, help="output folder; created if missing")
    parser.add_argument(
        "--only", default="", help="names of sets, separated by commas (default: all)"
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="all text of the photos is labeled: count lines read elsewhere",
    )
    parser.add_argument("--before", help="folder of an earlier diagnosis: show the changes")
    parser.add_argument("--limit", type=positive_int, help="greatest number of pictures of a set")
    parser.add_argument(
        "--tiles", type=positive_int, default=96, help="greatest number of tiles in a contact sheet"
    )
    network.add_arguments(parser)
    parser.set_defaults(call=_call)


def _call(options: argparse.Namespace) -> None:
    from training.data.sets import find_sets
    from training.evaluate.diagnose.raw_reading import RawBundleReader, RawNetworkReader, RawReader
    from training.evaluate.diagnose.report import changes, read_summary, table
    from training.evaluate.diagnose.run import diagnose

    with contextlib.ExitStack() as stack:
        if options.bundle:
            bundle = RawBundleReader(options.bundle, options.threads)
            reader: RawReader = stack.enter_context(contextlib.closing(bundle))
        else:
            reader = RawNetworkReader(network.open_reader(options))
        sets = find_sets(options.data, options.only)
        before = read_summary(Path(options.before)) if options.before else []
        rows = diagnose(
            reader,
            sets,
            Path(options.out),
            complete=options.complete,
            limit=options.limit,
            most=options.tiles,
            source=str(options.bundle or options.run),
            progress=lambda text: print(text, flush=True),
        )
    print(table(rows))
    if options.before:
        print("change since the earlier diagnosis:\n" + table(changes(before, rows)))
