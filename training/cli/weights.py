"""``python -m training average`` and ``pack``: new runs from the weights of runs."""

from __future__ import annotations

import argparse

from training.startup import load_keras

__all__ = ["add_average_arguments", "add_pack_arguments"]


def add_average_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument(
        "runs",
        nargs="+",
        help="run folders, or the bundle from which they started (default: the packaged one)",
    )
    parser.add_argument("--out", required=True, help="run folder to write")
    parser.set_defaults(call=_average, threads=None)


def _average(options: argparse.Namespace) -> None:
    load_keras()
    from training.runs.average import average_runs

    average_runs(options.runs, options.out)


def add_pack_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("run", help="run folder")
    parser.add_argument("--out", required=True, help="folder to write")
    parser.set_defaults(call=_pack, threads=None)


def _pack(options: argparse.Namespace) -> None:
    from training.runs.pack import pack_run

    pack_run(options.run, options.out)
