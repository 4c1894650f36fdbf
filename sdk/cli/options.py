"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sdk.arguments import positive_int

if TYPE_CHECKING:
    from sdk.model.bundle import ModelSource
    from sdk.reader import Reader


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    """Add a subcommand with the log options of all commands."""
    parser = commands.add_parser(name, help=summary, description=summary)
    log = parser.add_argument_group("log")
    log.add_argument("-q", "--quiet", action="store_true", help="show errors only")
    log.add_argument("-v", "--verbose", action="store_true", help="show details")
    return parser


LITERAL = "read what is printed: known words do not replace misprinted ones"
"""Help of the option ``--literal``."""

WHOLE_LINES = "keep rows whole: wide gaps do not divide them into cells"
"""Help of the option ``--whole-lines``."""


def add_reader_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the model and its device."""
    group = parser.add_argument_group("model and device")
    group.add_argument(
        "--model",
        metavar="NAME",
        help="installed bundle (see fots-lite models), or its folder (default: the packaged one)",
    )
    group.add_argument(
        "--detector",
        metavar="NAME",
        help="bundle whose detector finds the lines (default: the model's own)",
    )
    group.add_argument(
        "--variant",
        metavar="NAME",
        help="variant of the bundle, such as int8 or fp32 (default: fits the device)",
    )
    group.add_argument(
        "--device",
        default="auto",
        metavar="NAME",
        help="auto (default), cpu, gpu, gpu:DELEGATE.so, edgetpu, edgetpu:usb, edgetpu:pci or "
        "edgetpu:NUMBER",
    )
    group.add_argument(
        "--threads",
        type=positive_int,
        metavar="N",
        help="number of CPU threads (default: one for each core, at most 4)",
    )


def open_reader(args: argparse.Namespace) -> Reader:
    """Return a reader by the options of `add_reader_options`.

    Raises:
        ModelError: The bundle is missing, damaged or too new, or has no such variant.
        DeviceError: The device or the interpreter cannot be used.
        OptionError: There is no such device.
    """
    # a late import, because --help and wrong usage must not wait for OpenCV
    from sdk.reader import Reader

    return Reader(
        args.model,
        detector=args.detector,
        device=args.device,
        threads=args.threads,
        variant=args.variant,
    )


def model_source(args: argparse.Namespace) -> ModelSource:
    """Return the bundle, or the combination of two, that the options select."""
    from sdk.model.bundle import Combination

    return args.model if args.detector is None else Combination(args.model, args.detector)


def print_json(value: dict[str, Any]) -> None:
    """Print a record as indented JSON on standard output."""
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
