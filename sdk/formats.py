"""Readings as text, JSON lines, Tesseract's TSV, and hOCR.

A format is written page by page, so that each result appears at once: `start()`, then `page(...)`
for each picture, then `end()`.

TSV has the twelve columns of `tesseract ... tsv`. hOCR follows the 1.2 specification
(http://kba.github.io/hocr-spec/1.2/). Both have upright boxes only, so the box of a slanted line is
the bounding box of its quad. hOCR also has the quad and the angle. With a pattern, hOCR states
whether the line fits (x_pattern_ok 1 or 0) and the text without the pattern (x_raw_text). A quote
or a semicolon would end a property of hOCR. They are written as in URLs, %22 and %3B.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sdk.errors import OptionError
from sdk.results import Char, Point, Quad, Reading, TextLine
from sdk.terminal import json_line, printable

TSV_COLUMNS = (
    "level",
    "page_num",
    "block_num",
    "par_num",
    "line_num",
    "word_num",
    "left",
    "top",
    "width",
    "height",
    "conf",
    "text",
)

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Word:
    """A part of a line between spaces, an item of TSV and hOCR."""

    text: str
    confidence: float
    quad: Quad


@dataclass(frozen=True, slots=True)
class Format:
    """A text format of readings.

    Attributes:
        start: Returns the text before the first page.
        page: Returns the text of one picture. Its arguments are the picture's name, its number
            counted from 1, and its reading.
        end: Returns the text after the last page.
    """

    start: Callable[[], str]
    page: Callable[[str, int, Reading], str]
    end: Callable[[], str]

    def write(self, pages: Iterable[tuple[str, Reading]]) -> str:
        """Return a whole document of (name, reading) pages."""
        body = [self.page(name, number, reading) for number, (name, reading) in enumerate(pages, 1)]
        return "".join([self.start(), *body, self.end()])


def get_format(name: str) -> Format:
    """Return a format by name: "text", "json", "tsv" or "hocr".

    Raises:
        OptionError: No format has this name.
    """
    try:
        return _FORMATS[name]
    except KeyError as error:
        legal = ", ".join(_FORMATS)
        raise OptionError(f"There is no format {name!r}. Use one of {legal}.") from error


def split_words(line: TextLine) -> list[Word]:
    """Return the words of a line. Their boxes come from the quads of the characters.

    Without these quads the line's quad is divided evenly.
    """
    chars = line.chars or tuple(Char(char, line.confidence) for char in line.text)
    words = []
    start = 0
    for stop in range(len(chars) + 1):
        if stop < len(chars) and not chars[stop].text.isspace():
            continue
        if stop > start:
            words.append(_word(line, chars, start, stop))
        start = stop + 1
    return words


def _word(line: TextLine, chars: tuple[Char, ...], start: int, stop: int) -> Word:
    part = chars[start:stop]
    logs = [math.log(max(char.confidence, 1e-9)) for char in part]
    first, last = part[0].quad, part[-1].quad
    if first is not None and last is not None:
        quad = (first[0], last[1], last[2], first[3])
    else:
        quad = _slice_quad(line.quad, start / len(chars), stop / len(chars))
    text = "".join(char.text for char in part)
    return Word(text=text, confidence=math.exp(sum(logs) / len(logs)), quad=quad)


def _slice_quad(quad: Quad, start: float, stop: float) -> Quad:
    top, bottom = (quad[0], quad[1]), (quad[3], quad[2])
    return (_mix(*top, start), _mix(*top, stop), _mix(*bottom, stop), _mix(*bottom, start))


def _mix(a: Point, b: Point, share: float) -> Point:
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)


def _bounds(points: Iterable[Point], reading: Reading) -> Box:
    """Return the box (left, top, right, bottom) around points, in whole pixels of the picture."""
    xs, ys = zip(*points, strict=True)
    return (
        min(max(math.floor(min(xs)), 0), reading.width),
        min(max(math.floor(min(ys)), 0), reading.height),
        max(min(math.ceil(max(xs)), reading.width), 0),
        max(min(math.ceil(max(ys)), reading.height), 0),
    )


def _all_points(reading: Reading) -> list[Point]:
    return [point for line in reading for point in line.quad]


def to_utf8(name: str) -> str:
    """Return a file name as text that can be encoded. Undecodable bytes become U+FFFD."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _nothing() -> str:
    return ""


def _text_page(name: str, number: int, reading: Reading) -> str:
    return "".join(f"{line.text}\n" for line in reading)


def _json_page(name: str, number: int, reading: Reading) -> str:
    row = {"image": to_utf8(name), "reading": reading.to_dict()}
    return json_line(row) + "\n"


def _tsv_start() -> str:
    return "\t".join(TSV_COLUMNS) + "\n"


def _tsv_page(name: str, number: int, reading: Reading) -> str:
    rows = [_tsv_row(1, (number, 0, 0, 0, 0), (0, 0, reading.width, reading.height))]
    if reading.lines:
        # Layout is not analyzed: one block with one paragraph holds the lines in reading order.
        around = _bounds(_all_points(reading), reading)
        rows.append(_tsv_row(2, (number, 1, 0, 0, 0), around))
        rows.append(_tsv_row(3, (number, 1, 1, 0, 0), around))
    for at, line in enumerate(reading, 1):
        rows.append(_tsv_row(4, (number, 1, 1, at, 0), _bounds(line.quad, reading)))
        for index, word in enumerate(split_words(line), 1):
            place = (number, 1, 1, at, index)
            conf = f"{100 * word.confidence:.2f}"
            box = _bounds(word.quad, reading)
            rows.append(_tsv_row(5, place, box, conf, printable(word.text)))
    return "".join(rows)


def _tsv_row(
    level: int, place: tuple[int, int, int, int, int], box: Box, conf: str = "-1", text: str = ""
) -> str:
    left, top, right, bottom = box
    cells = (level, *place, left, top, right - left, bottom - top, conf, text)
    return "\t".join(str(cell) for cell in cells) + "\n"


def _hocr_start() -> str:
    from sdk import __version__

    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">\n'
        " <head>\n"
        "  <title></title>\n"
        '  <meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
        f'  <meta name="ocr-system" content="fots-lite {__version__}"/>\n'
        '  <meta name="ocr-capabilities" '
        'content="ocr_page ocr_carea ocr_par ocr_line ocrx_word"/>\n'
        " </head>\n"
        " <body>\n"
    )


def _hocr_page(name: str, number: int, reading: Reading) -> str:
    title = (
        f"image {_hocr_string(name)}; bbox 0 0 {reading.width} {reading.height}; "
        f"ppageno {number - 1}"
    )
    parts = [_hocr_open("  ", "div", "ocr_page", f"page_{number}", title)]
    if reading.lines:
        box = f"bbox {_joined(_bounds(_all_points(reading), reading))}"
        parts.append(_hocr_open("   ", "div", "ocr_carea", f"block_{number}_1", box))
        parts.append(_hocr_open("    ", "p", "ocr_par", f"par_{number}_1", box))
        for at, line in enumerate(reading, 1):
            parts.append(_hocr_line(f"{number}_{at}", line, reading))
        parts.append("    </p>\n   </div>\n")
    parts.append("  </div>\n")
    return "".join(parts)


def _hocr_line(place: str, line: TextLine, reading: Reading) -> str:
    title = f"bbox {_joined(_bounds(line.quad, reading))}"
    title += "; poly " + _joined(round(value) for point in line.quad for value in point)
    # hOCR angles are counter-clockwise, ours are clockwise because y points down.
    angle = math.degrees(-line.angle_rad) % 360.0
    if 0.05 < angle < 359.95:
        title += f"; textangle {angle:.1f}"
    if line.pattern_ok is not None:
        title += f"; x_pattern_ok {line.pattern_ok:d}"
        title += f"; x_raw_text {_hocr_string(line.raw_text or '')}"
    words = []
    for index, word in enumerate(split_words(line), 1):
        conf = f"bbox {_joined(_bounds(word.quad, reading))}; x_wconf {100 * word.confidence:.0f}"
        opening = _hocr_open("", "span", "ocrx_word", f"word_{place}_{index}", conf).rstrip("\n")
        words.append(f"      {opening}{html.escape(printable(word.text))}</span>\n")
    opening = _hocr_open("     ", "span", "ocr_line", f"line_{place}", title)
    return "".join([opening, *words, "     </span>\n"])


def _hocr_open(indent: str, tag: str, kind: str, name: str, title: str) -> str:
    return f'{indent}<{tag} class="{kind}" id="{name}" title="{html.escape(title)}">\n'


def _hocr_end() -> str:
    return " </body>\n</html>\n"


def _hocr_string(text: str) -> str:
    """Return a string for a property of hOCR, which has no escape characters."""
    return '"' + printable(text).replace('"', "%22").replace(";", "%3B") + '"'


def _joined(numbers: Iterable[int]) -> str:
    return " ".join(str(number) for number in numbers)


_FORMATS = {
    "text": Format(_nothing, _text_page, _nothing),
    "json": Format(_nothing, _json_page, _nothing),
    "tsv": Format(_tsv_start, _tsv_page, _nothing),
    "hocr": Format(_hocr_start, _hocr_page, _hocr_end),
}
