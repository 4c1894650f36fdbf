"""`fots-lite watch`: read a camera and print a line for every product."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdk.arguments import charset, positive_int, seconds, share
from sdk.cli.log import logger
from sdk.cli.options import LITERAL, WHOLE_LINES, add_command, add_reader_options, open_reader
from sdk.cli.signals import stopped_by_signals
from sdk.cli.status import FAILED, OK
from sdk.errors import HistoryError, OptionError
from sdk.formats import to_utf8
from sdk.terminal import json_line, printable

if TYPE_CHECKING:
    from sdk.live.event import StreamEvent
    from sdk.results import Reading
    from sdk.station import History, Job, Verdict

SOURCES = (
    "a camera number such as 0, an address such as rtsp://..., a video file, a folder of pictures, "
    '"watch:FOLDER" for pictures that arrive in a folder, "gst:PIPELINE", "picamera2", "basler" or '
    '"basler:SERIAL"; settings follow a question mark, as in "0?width=1280&height=720"'
)
# The events with the reading of a product.
READ = ("settled", "changed")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands, "watch", "Read a camera, and report when a product is read, changes or leaves."
    )
    parser.set_defaults(run=run)
    parser.add_argument("source", metavar="SOURCE", help=SOURCES)
    parser.add_argument(
        "--every", type=seconds, default=0.0, metavar="S", help="read at most every S seconds"
    )
    parser.add_argument(
        "--vote",
        type=positive_int,
        default=3,
        metavar="N",
        help="number of frames that must agree (default: 3); pictures of a folder need no vote",
    )
    parser.add_argument(
        "--region",
        type=region,
        metavar="X,Y,W,H",
        help="part of the picture to read, as shares of the picture from 0 to 1",
    )
    parser.add_argument("--charset", type=charset, help="read these characters only")
    parser.add_argument("--literal", action="store_true", help=LITERAL)
    parser.add_argument("--whole-lines", action="store_true", help=WHOLE_LINES)
    parser.add_argument(
        "--min-confidence",
        type=share,
        metavar="P",
        help="drop lines of lower confidence, 0 to 1 (default: the job's or the model's bound)",
    )
    add_reader_options(parser)
    group = parser.add_argument_group("inspection")
    wanted = group.add_mutually_exclusive_group()
    wanted.add_argument("--job", metavar="FILE", help="judge by this job: OK, NG or UNREADABLE")
    wanted.add_argument("--expect", metavar="TEXT", help="OK if a line holds this text, else NG")
    group.add_argument("--history", metavar="FILE", help="record every product in this database")
    group.add_argument(
        "--pictures",
        choices=("none", "ng", "all"),
        default="ng",
        help="products whose full pictures the history keeps (default: ng)",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print one JSON object per event")


def run(args: argparse.Namespace) -> int:
    """Watch until the source ends or a signal comes, and return 1 after any loss, else 0."""
    if not args.verbose:
        _silence_opencv()
    job = _job(args)
    options: dict[str, Any] = {"charset": args.charset, "min_confidence": args.min_confidence}
    options["words"] = job is None and not args.literal
    options["cells"] = job is None and not args.whole_lines
    if job is not None and args.min_confidence is None:
        options["min_confidence"] = job.noise_confidence
    failed = False
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(stopped_by_signals())
        history = _open_history(args, stack)
        reader = stack.enter_context(open_reader(args))
        events = reader.stream(
            args.source,
            every=args.every,
            vote=args.vote,
            region=args.region if job is None else job.region,
            stop=stop,
            **options,
        )
        for event in stack.enter_context(contextlib.closing(events)):
            verdict = record = None
            if job is not None and event.kind in READ:
                verdict = _judge(job, event.reading)
                record = _record(history, verdict, event)
                failed |= history is not None and record is None
            failed |= event.kind == "skipped"
            line = _json_line(event, verdict, record) if args.json else _text_line(event, verdict)
            print(line, flush=True)
    return FAILED if failed else OK


def region(text: str) -> tuple[float, ...]:
    """Return the numbers of a region, for argparse."""
    from sdk.region import Region

    try:
        return Region.of([float(part) for part in text.split(",")])
    except ValueError as error:  # OptionError is a ValueError
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,W,H from 0 to 1") from error


def _job(args: argparse.Namespace) -> Job | None:
    """Return the job, None if the command neither judges nor records.

    Raises:
        OptionError: Both the job and the command have a region, or a model, or the job has several
            fields.
    """
    if args.job is None and args.expect is None and args.history is None:
        return None
    from sdk.model.store import beside
    from sdk.station import Job, TextRule, load_job

    if args.job is not None:
        job = load_job(args.job)
        if job.fields:
            raise OptionError(
                f"The job {job.name!r} has several fields, and watch reads a single region. Use "
                "`fots-lite station`."
            )
        if job.model:
            if args.model is not None:
                raise OptionError("The job names its own model. Remove --model.")
            args.model = str(beside(Path(args.job).parent, job.model))
    elif args.expect is not None:
        job = Job("expect", rules=(TextRule(args.expect),))
    else:
        job = Job("watch")
    if args.region is None:
        return job
    if job.region is not None:
        raise OptionError("The job has its own region. Remove --region.")
    return replace(job, region=args.region)


def _open_history(args: argparse.Namespace, stack: contextlib.ExitStack) -> History | None:
    if args.history is None:
        return None
    from sdk.station import History

    return stack.enter_context(History(args.history, pictures=args.pictures))


def _judge(job: Job, reading: Reading) -> Verdict:
    from sdk.station import judge

    return judge(job, reading)


def _record(history: History | None, verdict: Verdict, event: StreamEvent) -> int | None:
    """Record a verdict and return its id, None after a failure, which is logged."""
    if history is None:
        return None
    try:
        return history.add(verdict, None if event.frame is None else event.frame.image)
    except HistoryError as error:
        logger.error("%s", error)
        return None


def _text_line(event: StreamEvent, verdict: Verdict | None) -> str:
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.time))
    parts = [clock, f"{event.kind:<7}"]
    if verdict is not None:
        parts.append(f"{verdict.status.upper():<10}")
    if event.frame is not None and event.frame.name:
        parts.append(event.frame.name)
    parts.append(event.message or " | ".join(event.reading.texts))
    if verdict is not None and verdict.reasons:
        parts.append(f"({'; '.join(verdict.reasons)})")
    return printable("  ".join(parts).rstrip())


def _json_line(event: StreamEvent, verdict: Verdict | None, record: int | None) -> str:
    row = event.to_dict()
    row["name"] = to_utf8(row["name"])
    row["message"] = to_utf8(row["message"])
    row["verdict"] = None
    if verdict is not None:
        told = verdict.to_dict()
        row["verdict"] = {key: told[key] for key in ("status", "job", "reasons", "results")}
    row["record"] = record
    return json_line(row)


def _silence_opencv() -> None:
    """Silence OpenCV and FFmpeg on standard error, because our own messages are clearer.

    Both libraries read these variables when they are loaded, which happens later.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
