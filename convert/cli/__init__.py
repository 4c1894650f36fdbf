"""Command line: ``python -m convert tune|export|verify|compare|inspect|edgetpu``.

Tables go to standard output, messages on the progress to standard error. Exit codes: 0 success, 1
failed conversion or variant below its floor, 2 wrong usage, 3 missing package, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from convert.cli import compare, edgetpu, export, inspect, tune, verify
from convert.errors import ConvertError
from sdk.native_notes import native_notes_to_log
from training.interruption import interrupted_by_sigterm
from training.startup import MISSING, missing_package

__all__ = ["build_parser", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments without the program's name; None for those of the process.
    """
    # the converter is a part of TensorFlow; runs may come from any backend
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a few hundred pictures do not pay the start of a GPU
    try:
        options = build_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed an error or the help
        return int(stop.code or 0)
    try:
        with interrupted_by_sigterm(), native_notes_to_log():
            return int(options.call(options))
    except ConvertError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {missing_package(error, 'convert')}", file=sys.stderr)
        return MISSING
    except KeyboardInterrupt:
        print("interrupted; existing files are unchanged", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m convert", description="Convert training runs to bundles the SDK reads."
    )
    names = "tune|export|verify|compare|inspect|edgetpu"
    commands = parser.add_subparsers(dest="command", required=True, metavar=names)
    tune.add_arguments(
        commands.add_parser("tune", help="tune a run's graphs for integer arithmetic")
    )
    export.add_arguments(commands.add_parser("export", help="convert, verify and write a bundle"))
    verify.add_arguments(commands.add_parser("verify", help="compare a bundle with its runs"))
    compare.add_arguments(commands.add_parser("compare", help="size, time, memory and accuracy"))
    inspect.add_arguments(commands.add_parser("inspect", help="show the content of TFLite files"))
    edgetpu.add_arguments(commands.add_parser("edgetpu", help="check and compile for the Edge TPU"))
    return parser
