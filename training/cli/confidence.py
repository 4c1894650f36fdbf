"""Arguments of ``python -m training calibrate`` and ``reliability``."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from sdk.arguments import positive_int

__all__ = ["add_calibrate_arguments", "add_reliability_arguments"]


def add_calibrate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("--bundle", required=True, help="exported bundle")
    parser.add_argument(
        "--data",
        required=True,
        nargs="+",
        help="folders of held-back shards of line images or photos",
    )
    parser.add_argument(
        "--limit", type=positive_int, help="greatest number of pictures of a folder"
    )
    parser.add_argument(
        "--keep-temperature",
        action="store_true",
        help="keep the temperatures, fit the probability of lines only",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print, but do not change the bundle"
    )
    parser.set_defaults(call=_calibrate, threads=None)


def _calibrate(options: argparse.Namespace) -> None:
    from training.evaluate.confidence.calibrate import calibrate

    calibrate(
        Path(options.bundle),
        [Path(folder) for folder in options.data],
        limit=options.limit,
        keep_temperature=options.keep_temperature,
        write=not options.dry_run,
        progress=lambda text: print(text, flush=True),
    )


def add_reliability_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("--bundle", required=True, help="exported bundle")
    parser.add_argument(
        "--data",
        required=True,
        help="shards, a folder with labels.jsonl, or a folder of such folders",
    )
    parser.add_argument("--out", required=True, help="output folder; created if missing")
    parser.add_argument(
        "--only", default="", help="names of sets, separated by commas (default: all)"
    )
    parser.add_argument("--limit", type=positive_int, help="greatest number of pictures of a set")
    parser.set_defaults(call=_reliability, threads=None)


def _reliability(options: argparse.Namespace) -> None:
    from training.data.sets import find_sets
    from training.evaluate.confidence.report import report
    from training.evaluate.diagnose.raw_reading import RawBundleReader
    from training.evaluate.diagnose.report import table

    with contextlib.closing(RawBundleReader(options.bundle)) as reader:
        rows = report(
            reader,
            find_sets(options.data, options.only),
            Path(options.out),
            limit=options.limit,
            progress=lambda text: print(text, flush=True),
        )
    print(table(rows))
