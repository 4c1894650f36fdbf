"""`fots-lite read`: read pictures and write what they say."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.cli.inputs import Picture, find_pictures
from sdk.cli.log import logger
from sdk.cli.options import add_command, add_reader_options, charset, open_reader, share
from sdk.cli.output import Output, plan_drawings, save_drawing
from sdk.cli.status import FAILED, OK
from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.formats import get_format
from sdk.image.load import load_image
from sdk.pattern.template import Template
from sdk.results import Reading, Timing

if TYPE_CHECKING:
    from sdk.pattern.automaton import Pattern
    from sdk.reader import Reader


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "read", "Read the text in pictures.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help='picture, folder of pictures, or pattern such as "*.jpg"; - is standard input',
    )
    parser.add_argument("--line", action="store_true", help="each picture is one line of text")
    parser.add_argument("--charset", type=charset, help="read these characters only")
    pattern = parser.add_argument_group("pattern", "Give any number; a line may match any of them.")
    pattern.add_argument(
        "--pattern", action="append", metavar="REGEX", help='whole lines, such as "[A-Z]{2}[0-9]+"'
    )
    pattern.add_argument(
        "--template",
        action="append",
        metavar="TEXT",
        help='short form: A letter, 9 digit, X either, such as "AA 999"; the space may be absent',
    )
    pattern.add_argument("--matching", action="store_true", help="drop lines that do not match")
    parser.add_argument(
        "--min-confidence",
        type=share,
        metavar="P",
        help="drop lines below, 0 to 1 (default: the model's own bound; with --line 0)",
    )
    add_reader_options(parser)
    output = parser.add_argument_group("output")
    kind = output.add_mutually_exclusive_group()
    for name, summary in (
        ("json", "one JSON object on one line for each picture"),
        ("tsv", "a table with Tesseract's columns"),
        ("hocr", "an hOCR document"),
    ):
        kind.add_argument(
            f"--{name}", dest="format", action="store_const", const=name, help=summary
        )
    parser.set_defaults(format="text")
    output.add_argument("--output", metavar="FILE", help="write there, not to standard output")
    output.add_argument(
        "--draw",
        metavar="OUT",
        help="write the picture with its lines marked; a folder for several pictures",
    )


def run(args: argparse.Namespace) -> int:
    """Read all pictures and return the exit code: 0, or 1 if some of them failed."""
    pattern = _pattern(args)
    if args.matching and pattern is None:
        raise OptionError("--matching drops lines that do not match: give --pattern or --template.")
    pictures = find_pictures(args.files)
    output = Output(get_format(args.format), args.output, titled=_is_titled(args, pictures))
    drawings = plan_drawings(args.draw, pictures)
    with open_reader(args) as reader:
        output.start()
        done = [
            _read_picture(reader, picture, args, pattern, output, drawing)
            for picture, drawing in zip(pictures, drawings, strict=True)
        ]
        output.end()
    return OK if all(done) else FAILED


def _read_picture(
    reader: Reader,
    picture: Picture,
    args: argparse.Namespace,
    pattern: list[Pattern] | None,
    output: Output,
    drawing: Path | None,
) -> bool:
    """Read one picture and write its results; log a failure and return whether all went well."""
    try:
        source = picture.open()
        read = _read_strip if args.line else _read
        reading = read(reader, source, args, pattern)
        if args.matching:
            reading = replace(reading, lines=tuple(line for line in reading if line.pattern_ok))
        output.add(picture.name, reading)
        if drawing is not None:
            save_drawing(reading, source, drawing)
    except (OptionError, ModelError, DeviceError):
        raise  # the next picture would fail in the same way
    except SdkError as error:
        logger.error("%s", error)
        return False
    return True


def _pattern(args: argparse.Namespace) -> list[Pattern] | None:
    given = [*(args.pattern or ()), *map(Template, args.template or ())]
    return given or None


def _read(
    reader: Reader, source: Path | bytes, args: argparse.Namespace, pattern: list[Pattern] | None
) -> Reading:
    return reader.read(
        source, min_confidence=args.min_confidence, charset=args.charset, pattern=pattern
    )


def _read_strip(
    reader: Reader, source: Path | bytes, args: argparse.Namespace, pattern: list[Pattern] | None
) -> Reading:
    """Return a reading whose one line fills the picture, or none if there is no text."""
    started = time.perf_counter()
    strip = load_image(source)
    loaded = time.perf_counter()
    line = reader.read_line(strip, charset=args.charset, pattern=pattern)
    ended = time.perf_counter()
    height, width = strip.shape[:2]
    about = reader.describe()
    reading = Reading(
        lines=(line,) if line.text.strip() else (),
        width=width,
        height=height,
        timing=Timing(
            load_ms=1e3 * (loaded - started),
            recognize_ms=1e3 * (ended - loaded),
            total_ms=1e3 * (ended - started),
        ),
        model=f"{about['model']} {about['version']}",
        device=about["device"],
    )
    return reading.filter(args.min_confidence or 0.0)


def _is_titled(args: argparse.Namespace, pictures: list[Picture]) -> bool:
    """Whether each text needs to say whose it is; the other formats say it anyway."""
    return args.format == "text" and len(pictures) > 1
