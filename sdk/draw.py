"""Draw a reading on its picture: a box around each line, with the text beside the box.

The color shows the confidence (green, amber, red). Pillow's built-in font needs no font file. The
font covers basic Latin, other characters appear as empty boxes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sdk.errors import ImageError
from sdk.image.load import MAX_PIXELS, ImageSource, load_image
from sdk.results import Char, Quad, Reading, TextLine
from sdk.terminal import printable

Color = tuple[int, int, int]
Box = tuple[int, int, int, int]

_SURE: Color = (0, 135, 60)
_DOUBTFUL: Color = (200, 110, 0)
_UNSURE: Color = (205, 25, 35)
_MIN_TEXT_PX = 14
_CELLS = 400  # grid cells along the longer side of a picture, for the search of free places


def draw_reading(
    image: ImageSource, reading: Reading, *, channels: str = "rgb", labels: bool = True
) -> Image.Image:
    """Return a copy of a picture with the boxes and texts of its reading, as a PIL RGB image.

    Args:
        image: The picture that was read: path, bytes, file, PIL image or array. Of a file, the
            page of the reading is drawn.
        reading: Reading of the picture.
        channels: Channel order of an array with color, "rgb" or "bgr".
        labels: Whether the texts are written beside the boxes.

    Raises:
        ImageError: The picture cannot be loaded, or has another size than the reading.
    """
    size = max(1, reading.width * reading.height)
    # an array or a PIL image is the page itself
    page = None if isinstance(image, (np.ndarray, Image.Image)) else reading.page
    pixels = load_image(image, channels, page=page, max_pixels=max(MAX_PIXELS, size))
    height, width = pixels.shape[:2]
    if (width, height) != (reading.width, reading.height):
        raise ImageError(
            f"Cannot draw the reading: the image has {width} x {height} pixels, the reading has "
            f"{reading.width} x {reading.height}. Pass the image that was read."
        )
    canvas = Image.fromarray(pixels)
    painter = ImageDraw.Draw(canvas)
    stroke_px = max(2, round(max(width, height) / 500))
    for line in reading:
        painter.polygon(line.quad, outline=line_color(line), width=stroke_px)
    if labels:
        # After all boxes, so that no box strikes through a text.
        room = _Room(reading)
        for line in reading:
            _draw_label(painter, line, room, stroke_px)
    return canvas


def line_color(line: TextLine | Char) -> Color:
    """Return the RGB color that shows the confidence of a line or a character."""
    if line.confidence >= 0.9:
        return _SURE
    return _DOUBTFUL if line.confidence >= 0.6 else _UNSURE


class _Room:
    """The area that boxes and labels cover, in grid cells of the picture."""

    def __init__(self, reading: Reading) -> None:
        """Mark the boxes of all lines as covered."""
        self._size = reading.width, reading.height
        self._scale = min(1.0, _CELLS / max(self._size))
        width, height = (max(1, math.ceil(x * self._scale)) for x in self._size)
        self._cells = width, height
        self._covered = np.zeros((height, width), np.uint32)
        for line in reading:
            self._covered += self._filled(line.quad)

    def take(self, quad: Quad, sizes: list[tuple[int, int]], gap: int) -> tuple[int, Box]:
        """Find a place for a label beside a line and mark the place as covered.

        A free place is best. A label covers its own line before it covers other lines.

        Args:
            quad: Corners of the line.
            sizes: Possible widths and heights of the label in pixels, the preferred size first.
            gap: Distance between a line and its label in pixels.

        Returns:
            Index of the chosen size, and the box (left, top, right, bottom) in pixels.
        """
        own = self._filled(quad)
        others = self._covered - own
        places = [
            (at, self._inside(x, y, *size))
            for at, size in enumerate(sizes)
            for x, y in _places(quad, *size, gap)
        ]
        at, box = min(places, key=lambda place: [self._count(x, place[1]) for x in (others, own)])
        self._covered[self._slices(box)] += 1
        return at, box

    def _inside(self, x: float, y: float, width: int, height: int) -> Box:
        # Whole pixels: letters between them are blurred.
        left = round(max(0, min(x, self._size[0] - width)))
        top = round(max(0, min(y, self._size[1] - height)))
        return left, top, left + width, top + height

    def _filled(self, quad: Quad) -> NDArray[np.uint8]:
        mask = Image.new("L", self._cells)
        points = [(x * self._scale, y * self._scale) for x, y in quad]
        ImageDraw.Draw(mask).polygon(points, fill=1)
        return np.asarray(mask)

    def _count(self, cells: NDArray[np.integer], box: Box) -> int:
        return int(np.count_nonzero(cells[self._slices(box)]))

    def _slices(self, box: Box) -> tuple[slice, slice]:
        left, top, right, bottom = (x * self._scale for x in box)
        return slice(int(top), math.ceil(bottom)), slice(int(left), math.ceil(right))


def _places(quad: Quad, width: int, height: int, gap: int) -> Iterator[tuple[float, float]]:
    """Yield possible top left corners of a label, the preferred corner first."""
    xs, ys = zip(*quad, strict=True)
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    middle = (top + bottom - height) / 2
    over, under = top - gap - height, bottom + gap
    yield from ((left, over), (left, under), (right - width, over), (right - width, under))
    yield from ((right + gap, middle), (left - gap - width, middle), (left, middle))


def _draw_label(painter: ImageDraw.ImageDraw, line: TextLine, room: _Room, gap_px: int) -> None:
    text = printable(line.text).strip()
    if not text:
        return
    width, height = painter.im.size
    # Legible at the size of the whole picture, but not much larger than the print itself.
    smallest = max(_MIN_TEXT_PX, min(width, height) / 45)
    size_px = round(max(smallest, min(0.7 * _line_height(line.quad), 3 * smallest)))
    letterings = [_letter(text, size) for size in (size_px, round(smallest))]
    at, box = room.take(line.quad, [x.size for x in letterings], gap_px)
    painter.rectangle(box, fill=line_color(line))
    place = box[0] + letterings[at].start[0], box[1] + letterings[at].start[1]
    painter.text(place, text, fill=(255, 255, 255), font=letterings[at].font)


@dataclass(frozen=True, slots=True)
class _Lettering:
    """The layout of a label.

    Attributes:
        font: Font of the text.
        size: Width and height of the label in pixels.
        start: Start of the text inside the label, pixels.
    """

    font: Any
    size: tuple[int, int]
    start: tuple[float, float]


def _letter(text: str, size_px: int) -> _Lettering:
    font = ImageFont.load_default(size=size_px)
    left, top, right, bottom = font.getbbox(text)
    pad = max(2, size_px // 6)
    size = math.ceil(right - left) + 2 * pad, math.ceil(bottom - top) + 2 * pad
    return _Lettering(font, size, (pad - left, pad - top))


def _line_height(quad: Quad) -> float:
    start, end = math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2])
    return (start + end) / 2
