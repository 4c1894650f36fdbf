"""Command line: ``python -m convert tune|export|verify|compare|inspect|edgetpu``.

Standard output carries the tables, standard error the progress. Exit codes: 0 done, 1 the
conversion failed or a variant is below its floor, 2 wrong usage, 3 a package is not installed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from convert.cli import compare, edgetpu, export, inspect, tune, verify
from convert.errors import ConvertError
from training.startup import MISSING, missing_package

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments without the program's name; None takes those of the process.
    """
    # The converter belongs to TensorFlow, whatever a run was trained with.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a few hundred pictures; the CPU is there at once
    try:
        options = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong, or printed the help
        return int(stop.code or 0)
    try:
        return int(options.call(options))
    except ConvertError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {missing_package(error, 'convert')}", file=sys.stderr)
        return MISSING
    except KeyboardInterrupt:
        print("interrupted; what was there is unchanged", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m convert", description="Convert training runs to bundles the SDK reads."
    )
    names = "tune|export|verify|compare|inspect|edgetpu"
    commands = parser.add_subparsers(dest="command", required=True, metavar=names)
    tune.add_arguments(commands.add_parser("tune", help="fit a run's graphs to integer arithmetic"))
    export.add_arguments(commands.add_parser("export", help="convert, verify and write a bundle"))
    verify.add_arguments(commands.add_parser("verify", help="compare a bundle with its runs again"))
    compare.add_arguments(commands.add_parser("compare", help="size, time, memory and accuracy"))
    inspect.add_arguments(commands.add_parser("inspect", help="say what is in TFLite files"))
    edgetpu.add_arguments(commands.add_parser("edgetpu", help="check and compile for the Edge TPU"))
    return parser
