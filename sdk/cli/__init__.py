"""The command `fots-lite`, one module per subcommand.

Standard output has only data, standard error has the log. Exit codes: 0 success, 1 some input or
output failed, 2 wrong usage, 3 the model or the device cannot be used, 130 interrupted, 141 the
reader of the output closed its end.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from sdk.cli import bench, bulk, check, info, models, predict, read, serve, station, watch
from sdk.cli.log import log_to_stderr, logger
from sdk.cli.signals import end_in_time
from sdk.cli.status import FAILED, UNUSABLE, USAGE
from sdk.cli.streams import replace_closed_streams
from sdk.cli.version import ShowVersions
from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.native_notes import native_notes_to_log
from sdk.terminal import printable

INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments without the program's name. None uses the arguments of the process.
    """
    replace_closed_streams()
    try:
        args = _build_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has printed an error or the help
        return int(stop.code or 0)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # the same bytes on every system, even for file names that are not valid in the locale
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    with (
        log_to_stderr(quiet=args.quiet, verbose=args.verbose),
        native_notes_to_log(),
        end_in_time(),
    ):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except OptionError as error:
        logger.error("%s", error)
        return USAGE
    except (ModelError, DeviceError) as error:
        logger.error("%s", error)
        return UNUSABLE
    except SdkError as error:
        logger.error("%s", error)
        return FAILED
    except BrokenPipeError:
        # as in `fots-lite read ... | head`; Python flushes once more at exit and needs a target
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        # standard output on a full disk; all other failures are an SdkError
        logger.error(
            "Cannot write the output: %s. Check the target of standard output.",
            error.strerror or error,
        )
        return FAILED
    except KeyboardInterrupt:
        logger.error("Interrupted.")
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Reports wrong arguments without control characters."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fots-lite",
        description="Read text in pictures.",
        epilog="Exit codes: 0 success, 1 some input or output failed, 2 wrong usage, "
        "3 model or device cannot be used.",
    )
    parser.add_argument(
        "--version", action=ShowVersions, help="show the versions of program, model and interpreter"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (read, bulk, predict, serve, watch, station, bench, info, models, check):
        command.add_parser(commands)
    return parser
