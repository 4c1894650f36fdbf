"""`fots-lite bulk`: read an archive on all cores of this machine, or on a cluster."""

from __future__ import annotations

import argparse
import sys

from sdk.arguments import charset, positive_int, share
from sdk.cli.log import logger
from sdk.cli.options import LITERAL, WHOLE_LINES, add_command
from sdk.cli.signals import stopped_by_signals
from sdk.cli.status import OK
from sdk.image.picture import MAX_PIXELS
from sdk.terminal import printable

_INTERRUPTED = 130


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "bulk", "Read an archive of pictures into part files.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "source", metavar="SOURCE", help="folder, with the folders in it, or s3://BUCKET/FOLDER"
    )
    parser.add_argument(
        "--output", required=True, metavar="OUT", help="folder or s3://BUCKET/FOLDER to write"
    )
    parser.add_argument(
        "--cluster",
        metavar="HOST:PORT",
        help="Ray cluster that this machine is a node of (default: the cores of this machine)",
    )
    parser.add_argument(
        "--workers",
        type=positive_int,
        metavar="N",
        help="processes without --cluster (default: one for each core)",
    )
    parser.add_argument(
        "--chunk",
        type=positive_int,
        default=50,
        metavar="N",
        help="pictures in a part file (default: %(default)s)",
    )
    parser.add_argument("--resume", action="store_true", help="finish an interrupted run")
    parser.add_argument(
        "--format",
        choices=("jsonl", "parquet"),
        default="jsonl",
        help="format of the part files (default: %(default)s)",
    )
    reading = parser.add_argument_group("reading, on one CPU core for each process")
    reading.add_argument(
        "--model", metavar="NAME", help="name or folder of a bundle, the same on every node"
    )
    reading.add_argument("--variant", metavar="NAME", help="variant of the bundle")
    reading.add_argument("--charset", type=charset, help="read these characters only")
    reading.add_argument(
        "--pattern", action="append", default=[], metavar="REGEX", help="what whole lines look like"
    )
    reading.add_argument(
        "--template", action="append", default=[], metavar="TEXT", help='such as "AA 999"'
    )
    reading.add_argument(
        "--min-confidence", type=share, metavar="P", help="drop lines of lower confidence, 0 to 1"
    )
    reading.add_argument("--literal", action="store_true", help=LITERAL)
    reading.add_argument("--whole-lines", action="store_true", help=WHOLE_LINES)
    reading.add_argument(
        "--max-pixels",
        type=positive_int,
        default=MAX_PIXELS,
        metavar="N",
        help="refuse pictures with more pixels (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Read the archive and return the exit code: 0, also with pictures that are unreadable."""
    # late: --help must not wait for OpenCV
    from sdk.bulk.plan import Options
    from sdk.bulk.run import Interrupted, bulk

    def tell(text: str) -> None:
        if not args.quiet:
            print(f"bulk: {printable(text)}", file=sys.stderr, flush=True)

    options = Options(
        args.model,
        args.variant,
        args.charset,
        tuple(args.pattern),
        tuple(args.template),
        args.min_confidence,
        args.literal,
        args.whole_lines,
        args.max_pixels,
        args.format,
    )
    try:
        with stopped_by_signals() as stop:
            counts = bulk(
                args.source,
                args.output,
                options,
                chunk=args.chunk,
                address=args.cluster,
                processes=args.workers,
                resume=args.resume,
                stop=stop,
                tell=tell,
            )
    except Interrupted as error:
        logger.error("%s", error)
        return _INTERRUPTED
    tell(
        f"{counts.photos} photos: {counts.pages} pages, {counts.lines} lines; "
        f"{counts.unreadable} unreadable, {counts.killed} of them killed the reader"
    )
    return OK
