"""`fots-lite read`: read pictures and write their texts."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.arguments import charset, page_numbers, positive_int, share
from sdk.cli.inputs import Picture, find_pictures
from sdk.cli.log import logger
from sdk.cli.options import LITERAL, WHOLE_LINES, add_command, add_reader_options, open_reader
from sdk.cli.output import Output, page_drawing, plan_drawings, save_drawing
from sdk.cli.status import FAILED, OK
from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.formats import get_format
from sdk.image.load import MAX_PIXELS, open_document
from sdk.recognize.pattern.template import Template
from sdk.single_line import SingleLines

if TYPE_CHECKING:
    from sdk.image.load import Document
    from sdk.reader import Reader
    from sdk.recognize.pattern.automaton import Pattern


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "read", "Read the text in pictures.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help='picture, folder of pictures, pattern such as "*.jpg", or - for standard input',
    )
    parser.add_argument(
        "--pages",
        type=page_numbers,
        metavar="N,N-M",
        help="pages of TIFF and PDF files, counted from 1 (default: all)",
    )
    parser.add_argument(
        "--max-pixels",
        type=positive_int,
        default=MAX_PIXELS,
        metavar="N",
        help="refuse pictures with more pixels, which need more memory (default: %(default)s)",
    )
    parser.add_argument("--line", action="store_true", help="each picture is one line of text")
    parser.add_argument("--charset", type=charset, help="read these characters only")
    parser.add_argument("--literal", action="store_true", help=LITERAL)
    parser.add_argument("--whole-lines", action="store_true", help=WHOLE_LINES)
    pattern = parser.add_argument_group("pattern", "Alternatives: a line must match one of them.")
    pattern.add_argument(
        "--pattern", action="append", metavar="REGEX", help='whole lines, such as "[A-Z]{2}[0-9]+"'
    )
    pattern.add_argument(
        "--template",
        action="append",
        metavar="TEXT",
        help='short form such as "AA 999": A letter, 9 digit, X either, space optional',
    )
    pattern.add_argument("--matching", action="store_true", help="drop lines that do not match")
    parser.add_argument(
        "--min-confidence",
        type=share,
        metavar="P",
        help="drop lines of lower confidence, 0 to 1 (default: the model's bound, with --line 0)",
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
    output.add_argument("--output", metavar="FILE", help="file to write (default: standard output)")
    output.add_argument(
        "--draw",
        metavar="OUT",
        help="file for the picture with its lines marked, or folder for several pictures",
    )


def run(args: argparse.Namespace) -> int:
    """Read all pictures and return the exit code: 0, or 1 if some of them failed."""
    pattern = [*(args.pattern or ()), *map(Template, args.template or ())] or None
    if args.matching and pattern is None:
        raise OptionError("--matching needs a pattern. Give --pattern or --template.")
    pictures = find_pictures(args.files)
    output = Output(get_format(args.format), args.output)
    drawings = plan_drawings(args.draw, pictures)
    taken = {path for path in (*drawings, *(x.path for x in pictures)) if path is not None}
    with open_reader(args) as reader:
        run = _Run(args, pattern, reader, output, taken, titled=len(pictures) > 1)
        output.start()
        for picture, drawing in zip(pictures, drawings, strict=True):
            run.read(picture, drawing)
        output.end()
    return FAILED if run.failures else OK


@dataclass
class _Run:
    """Reads pictures page by page, and writes their readings.

    Attributes:
        args: Options of the command.
        pattern: Patterns of lines.
        reader: The reader.
        output: Output of the readings.
        taken: Files that a drawing of a further page must not overwrite.
        titled: Whether texts have a title. Texts of files with several pages always have one.
        failures: Number of files and pages that could not be read or drawn. Each is logged.
    """

    args: argparse.Namespace
    pattern: list[Pattern] | None
    reader: Reader
    output: Output
    taken: set[Path]
    titled: bool
    failures: int = 0

    def read(self, picture: Picture, drawing: Path | None) -> None:
        """Read the requested pages of a file."""
        max_pixels = self.args.max_pixels
        with self._logged(), open_document(picture.open(), max_pixels=max_pixels) as document:
            wanted = self.args.pages or [document.select("all")]
            for at, page in enumerate(chain.from_iterable(wanted)):
                document.check(page)
                target = drawing
                if drawing is not None and at > 0:
                    target = page_drawing(drawing, page, self.taken)
                with self._logged():
                    self._read_page(picture, document, page, target)

    def _read_page(
        self, picture: Picture, document: Document, page: int, drawing: Path | None
    ) -> None:
        loaded = document.load(page)
        reader = SingleLines(self.reader) if self.args.line else self.reader
        reading = reader.read(
            loaded,
            min_confidence=self.args.min_confidence,
            charset=self.args.charset,
            pattern=self.pattern,
            words=not self.args.literal,
            cells=not self.args.whole_lines,
        )
        if self.args.matching:
            reading = replace(reading, lines=tuple(line for line in reading if line.pattern_ok))
        titled, title = self.titled, picture.name
        if document.pages > 1:  # the title of a single page is the argument itself
            titled, title = True, document.title(page)
        for note in reading.notes:
            logger.warning("%s: %s", title, note.text)
        # the other formats always name the picture
        self.output.add(
            picture.name, reading, title if titled and self.args.format == "text" else ""
        )
        if drawing is not None:
            save_drawing(reading, loaded, drawing)

    @contextlib.contextmanager
    def _logged(self) -> Iterator[None]:
        """Log and count failures, except failures that every picture would have."""
        try:
            yield
        except (OptionError, ModelError, DeviceError):
            raise
        except SdkError as error:
            logger.error("%s", error)
            self.failures += 1
