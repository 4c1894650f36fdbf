"""A printed word of which a part is missing: CONTACT, whose second letter looks like a C."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

WORD, PRINTED = "CONTACT", "CCNTACT"


def draw_misprint(margin: int = 12) -> bytes:
    """Return a PNG file of the word with a margin in pixels."""
    font = ImageFont.load_default(40)
    width = int(font.getlength(WORD)) + 2 * margin
    picture = Image.new("L", (width, 40 + 2 * margin), 255)
    painter = ImageDraw.Draw(picture)
    painter.text((margin, margin - 4), WORD, 0, font)
    left, letter = font.getlength(WORD[0]), font.getlength(WORD[1])
    start = margin + left + 0.6 * letter
    painter.rectangle((start, 0, start + 0.4 * letter, picture.height), 255)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
