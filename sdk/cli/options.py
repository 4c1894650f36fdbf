"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from sdk.cli.log import native_notes_to_log

if TYPE_CHECKING:
    from sdk.reader import Reader


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    """Add a subcommand with the log options every command has."""
    parser = commands.add_parser(name, help=summary, description=summary)
    log = parser.add_argument_group("log")
    log.add_argument("-q", "--quiet", action="store_true", help="show errors only")
    log.add_argument("-v", "--verbose", action="store_true", help="show details")
    return parser


def add_reader_options(parser: argparse.ArgumentParser) -> None:
    """Add what chooses the model and where it runs."""
    group = parser.add_argument_group("model and device")
    group.add_argument(
        "--model", metavar="FOLDER", help="model bundle to read with (default: the packaged one)"
    )
    group.add_argument(
        "--variant",
        metavar="NAME",
        help="variant of the bundle, such as int8 or fp32 (default: the one that fits the device)",
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
        help="CPU threads to read with (default: one for each core, at most 4)",
    )


def open_reader(args: argparse.Namespace) -> Reader:
    """Return a reader as the options of `add_reader_options` say.

    Raises:
        ModelError: The bundle is missing, damaged or too new, or has no such variant.
        DeviceError: The device or the interpreter cannot be used.
        OptionError: There is no such device.
    """
    # Late: --help and wrong usage must not wait for OpenCV.
    from sdk.reader import Reader

    with native_notes_to_log():
        return Reader(args.model, device=args.device, threads=args.threads, variant=args.variant)


def positive_int(text: str) -> int:
    """Return a whole number of at least 1, for argparse."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def share(text: str) -> float:
    """Return a number from 0 to 1, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def page_numbers(text: str) -> list[range] | None:
    """Return ranges of pages counted from 1, None for all of them, for argparse."""
    if text == "all":
        return None
    ranges = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low = positive_int(first)
        high = positive_int(last) if dash else low
        if high < low:
            raise argparse.ArgumentTypeError(f"{part!r} ends before it begins")
        ranges.append(range(low, high + 1))
    return ranges


def seconds(text: str) -> float:
    """Return a time of 0 or more seconds, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def charset(text: str) -> str:
    """Return a non-empty set of characters, for argparse."""
    if not text:
        raise argparse.ArgumentTypeError("give at least one character")
    return text


def print_json(value: dict[str, Any]) -> None:
    """Print a record as indented JSON on standard output."""
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
