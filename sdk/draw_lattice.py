"""Draw a lattice: the line crop, the probabilities of characters over time, the best readings.

Pillow's built-in font needs no font file. The font covers basic Latin, other characters appear as
empty boxes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sdk.charset import BLANK
from sdk.recognize.ctc import collapse
from sdk.terminal import printable

if TYPE_CHECKING:
    from sdk.lattice import Guess, Lattice

__all__ = ["draw_lattice"]

_WIDEST_PX = 1600
_CELL_PX = 14
_ROW_PX = 18
_MARGIN_PX = 10
_LABEL_PX = 60
_MOST_ROWS = 40
# Least probability in some column from which a character has a row.
_SHOWN = 0.02

_INK = (25, 25, 30)
_FAINT = (225, 226, 232)
_PATH = (205, 25, 35)
_DARKEST = np.array([8, 64, 129], np.float32)  # a cell of probability 1


def draw_lattice(lattice: Lattice, count: int = 5) -> Image.Image:
    """Return the picture of a lattice, RGB; see `Lattice.draw`.

    Args:
        lattice: The lattice.
        count: Number of readings to show.
    """
    cell = int(np.clip((_WIDEST_PX - _LABEL_PX) // max(1, lattice.columns), 3, _CELL_PX))
    rows = _rows(lattice.probabilities)
    guesses = lattice.guesses(count)
    strip = _strip(lattice, cell)
    top = _MARGIN_PX + strip.height + _MARGIN_PX
    below = top + _ROW_PX * len(rows) + 2 * _MARGIN_PX
    width = max(_LABEL_PX + cell * lattice.columns, 480) + 2 * _MARGIN_PX
    height = below + _ROW_PX * (len(guesses) + 1) + _MARGIN_PX
    canvas = Image.new("RGB", (width, height), (255, 255, 255))
    left = _MARGIN_PX + _LABEL_PX
    canvas.paste(strip, (left, _MARGIN_PX))
    canvas.paste(_cells(lattice.probabilities, rows, cell), (left, top))
    painter = ImageDraw.Draw(canvas)
    for at, row in enumerate(rows):
        label = "blank" if row == BLANK else _label(lattice.charset.symbols[row - 1])
        y = top + _ROW_PX * at
        painter.text((left - 6, y + _ROW_PX // 2), label, _INK, _font(), anchor="rm")
        edge = y + _ROW_PX - 1
        painter.line((left, edge, left + cell * lattice.columns, edge), _FAINT)
    _draw_path(painter, lattice.probabilities, rows, (left, top), cell)
    _draw_guesses(painter, guesses, below)
    return canvas


def _rows(probabilities: NDArray[np.float32]) -> list[int]:
    """Return the classes that have a row: the blank, then characters by their first peak."""
    highest = probabilities.max(0)
    highest[BLANK] = 0
    shown = highest.argsort()[::-1][: _MOST_ROWS - 1]
    kept = [int(c) for c in shown if highest[c] >= _SHOWN]
    first = {c: int((probabilities[:, c] >= 0.5 * highest[c]).argmax()) for c in kept}
    return [BLANK, *sorted(kept, key=first.__getitem__)]


def _strip(lattice: Lattice, cell: int) -> Image.Image:
    """Return the line crop, scaled so that its columns stand above those of the lattice."""
    crop = lattice.crop
    if crop is None:
        return Image.new("RGB", (1, 1), (255, 255, 255))
    scale = cell / 4  # a column is 4 pixels of the crop
    size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
    return Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC)


def _cells(probabilities: NDArray[np.float32], rows: list[int], cell: int) -> Image.Image:
    # the root shows small probabilities, which matter for the further readings
    share = np.sqrt(probabilities[:, rows].T)[..., None]
    cells = np.round(255 + (_DARKEST - 255) * share).astype(np.uint8)
    size = cell * cells.shape[1], _ROW_PX * cells.shape[0]
    return Image.fromarray(cells).resize(size, Image.Resampling.NEAREST)


def _draw_path(
    painter: ImageDraw.ImageDraw,
    probabilities: NDArray[np.float32],
    rows: list[int],
    corner: tuple[int, int],
    cell: int,
) -> None:
    path = probabilities.argmax(-1)
    place = {c: at for at, c in enumerate(rows)}
    points = [
        (corner[0] + cell * (t + 0.5), corner[1] + _ROW_PX * (place[c] + 0.5))
        for t, c in enumerate(path.tolist())
        if c in place
    ]
    if len(points) > 1:
        painter.line(points, _PATH, 1)
    classes, first, last = collapse(path)
    for c, a, b in zip(classes.tolist(), first.tolist(), last.tolist(), strict=True):
        if c in place:
            y = corner[1] + _ROW_PX * place[c]
            box = (corner[0] + cell * a, y, corner[0] + cell * b - 1, y + _ROW_PX - 1)
            painter.rectangle(box, outline=_PATH, width=2)


def _draw_guesses(painter: ImageDraw.ImageDraw, guesses: list[Guess], top: int) -> None:
    for at, guess in enumerate(guesses):
        y = top + _ROW_PX * at
        bar = round(120 * guess.probability)
        painter.rectangle((_MARGIN_PX, y + 3, _MARGIN_PX + 120, y + _ROW_PX - 4), outline=_FAINT)
        painter.rectangle(
            (_MARGIN_PX, y + 3, _MARGIN_PX + bar, y + _ROW_PX - 4), fill=tuple(_DARKEST.astype(int))
        )
        text = f"{guess.probability:.4f}   {printable(guess.text) or '(no text)'}"
        painter.text((_MARGIN_PX + 130, y), text, _INK, _font())


def _label(symbol: str) -> str:
    return "space" if symbol == " " else printable(symbol)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=14)
