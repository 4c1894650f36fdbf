"""`fots-lite predict`: show what the network saw in the lines of a picture."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from sdk.arguments import charset, positive_int
from sdk.cli.inputs import find_pictures
from sdk.cli.log import logger
from sdk.cli.options import add_command, add_reader_options, open_reader
from sdk.cli.output import plan_drawings, save_picture
from sdk.cli.status import FAILED, OK
from sdk.errors import OptionError
from sdk.terminal import printable

if TYPE_CHECKING:
    from PIL import Image

    from sdk.results import TextLine


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    summary = "Show the likeliest readings of a picture's lines, and draw their probabilities."
    parser = add_command(commands, "predict", summary)
    parser.set_defaults(run=run)
    parser.add_argument("file", metavar="PICTURE", help="picture, or - for standard input")
    parser.add_argument("--line", action="store_true", help="the picture is one line of text")
    parser.add_argument(
        "--count", type=positive_int, default=5, help="readings of a line (default: %(default)s)"
    )
    parser.add_argument("--charset", type=charset, help="read these characters only")
    parser.add_argument(
        "--draw",
        metavar="OUT",
        help="picture file for the probabilities over time, one lattice for each line",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each line")
    add_reader_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the readings of each line, and return 0, or 1 if there is no text."""
    pictures = find_pictures([args.file])
    if len(pictures) > 1:
        raise OptionError(f"{args.file} is {len(pictures)} pictures. Give one picture.")
    [drawing] = plan_drawings(args.draw, pictures)
    with open_reader(args) as reader:
        source = pictures[0].open()
        if args.line:
            line = reader.read_line(source, charset=args.charset, lattice=True)
            lines = [line] if line.text.strip() else []
        else:
            reading = reader.read(source, charset=args.charset, lattice=True)
            lines = list(reading)
            for note in reading.notes:
                logger.warning("%s: %s", args.file, note.text)
    if not lines:
        logger.error("%s shows no text. With --line, the picture is one line.", args.file)
        return FAILED
    for line in lines:
        print(_json(line, args.count) if args.json else _text(line, args.count))
    if drawing is not None:
        save_picture(_stacked([line.lattice().draw(args.count) for line in lines]), drawing)
    return OK


def _json(line: TextLine, count: int) -> str:
    record: dict[str, Any] = {"text": line.text, "confidence": line.confidence}
    record |= line.lattice().to_dict(count)
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def _text(line: TextLine, count: int) -> str:
    guesses = line.lattice().guesses(count)
    rows = [f"  {guess.probability:.4f}  {printable(guess.text)}" for guess in guesses]
    marked = "".join("?" if char.unknown else char.text for char in line.chars)
    unknown = f"  unknown characters: {printable(marked)}" if line.unknown else ""
    return "\n".join([f"{printable(line.text)}  {line.confidence:.3f}{unknown}", *rows])


def _stacked(pictures: list[Image.Image]) -> Image.Image:
    from PIL import Image

    width, height = max(x.width for x in pictures), sum(x.height for x in pictures)
    sheet = Image.new("RGB", (width, height), (255, 255, 255))
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    return sheet
