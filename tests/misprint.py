"""A printed word of which a part is missing: TOTAL, whose O looks like a D."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

WORD, PRINTED = "TOTAL", "TDTAL"


def draw_misprint() -> bytes:
    """Return a PNG file of the word."""
    margin = 12
    font = ImageFont.load_default(40)
    width = int(font.getlength(WORD)) + 2 * margin
    picture = Image.new("L", (width, 40 + 2 * margin), 255)
    painter = ImageDraw.Draw(picture)
    painter.text((margin, margin - 4), WORD, 0, font)
    start = margin + font.getlength(WORD[0])
    painter.rectangle((start, 0, start + 0.4 * font.getlength(WORD[1]), picture.height), 255)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
