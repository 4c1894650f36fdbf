"""Tables and scales: short texts in columns; each cell is a line of its own."""

from __future__ import annotations

import numpy as np

from training.synth import process
from training.synth.block import Block, PrintedLine, Surface, corners
from training.synth.color import ink_color, random_color
from training.synth.fonts import FontLibrary
from training.synth.layout import backed, flat, new_seed, pick, sample_texts, typeset
from training.synth.pens.ink import Ink

__all__ = ["scale", "table"]

_CELLS = ("number", "number", "number", "price", "short", "single", "word", "code", "date", "time")
_FACES = ("sans", "sans", "sans", "mono", "serif", "condensed")
_MOST_CELLS = 72


def _set_cells(
    rng: np.random.Generator, columns: list[list[Ink]], pitch: float, gap: tuple[float, float]
) -> list[PrintedLine]:
    """Set columns of cells side by side, with aligned rows.

    Args:
        rng: Random generator.
        columns: Cells from top to bottom, column by column.
        pitch: Distance of rows in pixels.
        gap: Least and greatest distance of columns in pixels.
    """
    how = pick(rng, (process.paint, process.thermal, process.worn))
    seed, lines, left = new_seed(rng), [], 0.0
    for cells in columns:
        widths = [ink.box[2] - ink.box[0] for ink in cells]
        align = pick(rng, ("left", "right", "right", "center"))
        share = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        for row, (ink, width) in enumerate(zip(cells, widths, strict=True)):
            x = left + share * (max(widths) - width)
            lines.append(PrintedLine(ink, x - ink.box[0], row * pitch - ink.box[1], how, seed))
        left += max(widths) + rng.uniform(*gap)
    return lines


def _rule(x0: float, y0: float, x1: float, y1: float, color: Surface) -> tuple[np.ndarray, Surface]:
    return corners(x0, y0, x1, y1), color


def table(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Tables: columns of numbers, words or single characters, with or without rules."""
    count = int(rng.choice([1, 2, 3, 4, 5, 7, 10], p=[0.3, 0.2, 0.16, 0.14, 0.1, 0.06, 0.04]))
    rows = min(int(rng.integers(2, 21)), _MOST_CELLS // count)
    texts = [sample_texts(rng, (pick(rng, _CELLS),), rows) for _ in range(count)]
    written = [text for column in texts for text in column]
    inks = typeset(rng, fonts, pick(rng, _FACES), written, [height] * len(written))
    columns = [inks[i * rows : (i + 1) * rows] for i in range(count)]
    # rows must be closer to each other than columns, so that cells are no line of text
    pitch = height * rng.uniform(1.25, 2.6)
    lines = _set_cells(rng, columns, pitch, (1.4 * height, 6 * height))
    paper = random_color(rng, saturation=(0.0, 0.2), value=(0.75, 1.0))
    block = backed(rng, lines, height, paper, rng.uniform(0, 5))
    if rng.random() < 0.45:
        x0, _, x1, _ = block.box()
        color = flat(rng, ink_color(rng, paper, 60, True), 2)
        thickness = height * rng.uniform(0.03, 0.1)
        start = (pitch + height) / 2 + rng.uniform(-0.1, 0.1) * (pitch - height)
        for row in range(rows - 1):
            y = start + row * pitch
            block.surfaces.append(_rule(x0, y, x1, y + thickness, color))
    return block


def scale(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Scales of gauges and rulers: numbers in equal steps beside ticks."""
    rows = int(rng.integers(4, 13))
    step = float(rng.choice([0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 25, 50, 100]))
    first = step * int(rng.integers(-4, 20))
    digits = 0 if step >= 1 else 2 if step == 0.25 else 1
    values = [f"{first + step * i:.{digits}f}" for i in range(rows)]
    if rng.random() < 0.7:
        values.reverse()
    inks = typeset(rng, fonts, pick(rng, _FACES), values, [height] * rows)
    pitch = height * rng.uniform(1.3, 3.0)
    lines = _set_cells(rng, [inks], pitch, (height, height))
    paper = random_color(rng)
    block = backed(rng, lines, height, paper, rng.uniform(0, 5))
    color = flat(rng, ink_color(rng, paper, 90, True), 2)
    long, thick = height * rng.uniform(0.6, 2.5), height * rng.uniform(0.06, 0.2)
    edge = max(line.box()[2] for line in lines) + height * rng.uniform(0.4, 1.0)
    between = int(rng.choice([1, 1, 2, 5]))
    for tick in range((rows - 1) * between + 1):
        y = height / 2 + tick * pitch / between - thick / 2
        reach = long if tick % between == 0 else long / 2
        block.surfaces.append(_rule(edge, y, edge + reach, y + thick, color))
    return block
