"""The command `fots-lite`: one module per subcommand.

Standard output carries data only, standard error the log. Exit codes: 0 all done, 1 some input or
output failed, 2 wrong usage, 3 the model or the device cannot be used; 130 interrupted, 141 the
reader of the output went away.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from sdk.cli import bench, check, info, read, serve, station, watch
from sdk.cli.log import log_to_stderr, logger
from sdk.cli.signals import end_in_time
from sdk.cli.status import FAILED, UNUSABLE, USAGE
from sdk.cli.streams import replace_closed_streams
from sdk.cli.version import ShowVersions
from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.terminal import printable

INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments without the program's name; None takes those of the process.
    """
    replace_closed_streams()
    try:
        args = _build_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong, or printed the help
        return int(stop.code or 0)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The same bytes everywhere, also for file names that are not valid in the locale.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    with log_to_stderr(quiet=args.quiet, verbose=args.verbose), end_in_time():
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
        # As in `fots-lite read ... | head`. Python flushes once more at exit: give it a place to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        # Standard output on a full disk; everything else is an SdkError already.
        logger.error("Cannot write the output: %s.", error.strerror or error)
        return FAILED
    except KeyboardInterrupt:
        logger.error("Interrupted.")
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Names wrong arguments without the terminal commands in them."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fots-lite",
        description="Read text in pictures.",
        epilog="Exit codes: 0 all done, 1 some input or output failed, 2 wrong usage, "
        "3 model or device cannot be used.",
    )
    parser.add_argument(
        "--version", action=ShowVersions, help="show the versions of program, model and interpreter"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (read, serve, watch, station, bench, info, check):
        command.add_parser(commands)
    return parser
