"""Draw a reading on its picture: a box around each line, its text beside it.

The color tells the confidence (green, amber, red). The font is the one Pillow carries, so that
drawing needs no file; it covers basic Latin, any other character shows as an empty box.
"""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFont

from sdk.errors import ImageError
from sdk.image.load import ImageSource, load_image
from sdk.results import Char, Quad, Reading, TextLine
from sdk.terminal import printable

Color = tuple[int, int, int]

_SURE: Color = (0, 135, 60)
_DOUBTFUL: Color = (200, 110, 0)
_UNSURE: Color = (205, 25, 35)
_MIN_TEXT_PX = 14


def draw_reading(
    image: ImageSource, reading: Reading, *, channels: str = "rgb", labels: bool = True
) -> Image.Image:
    """Return a copy of a picture with the boxes and texts of its reading, as a PIL RGB image.

    Args:
        image: The picture that was read: path, bytes, file, PIL image or array.
        reading: What was read in it.
        channels: Channel order of an array with color, "rgb" or "bgr".
        labels: Whether the texts are written beside the boxes.

    Raises:
        ImageError: The picture cannot be loaded or is not of the size that was read.
    """
    pixels = load_image(image, channels)
    height, width = pixels.shape[:2]
    if (width, height) != (reading.width, reading.height):
        raise ImageError(
            f"Cannot draw the reading: the image is {width} x {height}, the reading is of one of "
            f"{reading.width} x {reading.height} pixels. Pass the image that was read."
        )
    canvas = Image.fromarray(pixels).copy()
    painter = ImageDraw.Draw(canvas)
    stroke_px = max(2, round(max(width, height) / 500))
    for line in reading:
        painter.polygon(line.quad, outline=line_color(line), width=stroke_px)
    if labels:
        # After all boxes, so that no box strikes through a text.
        for line in reading:
            _draw_label(painter, line, width, height, stroke_px)
    return canvas


def line_color(line: TextLine | Char) -> Color:
    """Return the RGB color that shows how sure a line or a character is."""
    if line.confidence >= 0.9:
        return _SURE
    return _DOUBTFUL if line.confidence >= 0.6 else _UNSURE


def _draw_label(
    painter: ImageDraw.ImageDraw, line: TextLine, width: int, height: int, gap_px: int
) -> None:
    text = _drawable(line.text)
    if not text:
        return
    # Legible when the whole picture is looked at, and never larger than the print itself.
    smallest = max(_MIN_TEXT_PX, min(width, height) / 45)
    size_px = round(max(smallest, min(0.7 * _line_height(line.quad), 3 * smallest)))
    font = ImageFont.load_default(size=size_px)
    left, top, right, bottom = font.getbbox(text)
    pad = max(2, size_px // 6)
    box_width, box_height = right - left + 2 * pad, bottom - top + 2 * pad
    x = min(point[0] for point in line.quad)
    y = min(point[1] for point in line.quad) - gap_px - box_height
    if y < 0:  # no room above: below the line
        y = max(point[1] for point in line.quad) + gap_px
    # Whole pixels: letters between them are blurred.
    x = round(max(0, min(x, width - box_width)))
    y = round(max(0, min(y, height - box_height)))
    painter.rectangle((x, y, x + box_width, y + box_height), fill=line_color(line))
    painter.text((x + pad - left, y + pad - top), text, fill=(255, 255, 255), font=font)


def _drawable(text: str) -> str:
    """Keep a label on one line: controls and lone surrogates become U+FFFD."""
    return printable(text).strip()


def _line_height(quad: Quad) -> float:
    start, end = math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2])
    return (start + end) / 2
