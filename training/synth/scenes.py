"""Scenes: combinations of texts, print processes and surfaces, one function for each domain.

A scene returns a ``Block``: lines of ink with their print process and the surfaces under them, in
flat block coordinates. Sizes derive from ``height``, the nominal height of the main text in pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from training.synth import process
from training.synth.block import Block, PrintedLine, Surface, corners
from training.synth.color import ink_color, random_color
from training.synth.emblem import delimiters, emblem
from training.synth.fonts import FontLibrary
from training.synth.layout import (
    backed,
    dot_print,
    flat,
    new_seed,
    pick,
    sample_texts,
    stack,
    typeset,
)
from training.synth.lexicon import Lexicon
from training.synth.pens import segments
from training.synth.pens.ink import Ink
from training.synth.plates import NO_IOQ
from training.synth.signs import LONGEST_ARC, sign
from training.synth.tables import scale, table
from training.synth.text import sample_text
from training.synth.vin import is_vin

Scene = Callable[[np.random.Generator, FontLibrary, float], Block]

_MARKED = ("vin", "vin")
"""Kinds of text on metal besides codes."""
_CODES = ("lot", "serial", "part", "date", "date", "date", "time", "code", "measure", "mixed")
_FACES = ("sans", "sans", "mono", "condensed", "ocr", "pixel")
_UNITS = ("kWh", "kWh", "kWh", "kW", "CkWh", "m3", "V", "A", "kg", "g", "Hz", "C", "kVAh", "bar")
_MARKS = ("CUM", "RYB", "MD", "TOTAL", "kWh", "R Y B", "BP", "PF", "CHK")


def _count(rng: np.random.Generator, most: int) -> int:
    """Return a number of lines: one in half of the blocks."""
    return 1 if rng.random() < 0.5 else int(rng.integers(2, most + 1))


def inkjet(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Continuous ink-jet coding: dot matrix on anything."""
    inks = dot_print(rng, sample_texts(rng, _CODES, _count(rng, 3)), height)
    how = process.inkjet if rng.random() < 0.75 else process.laser
    lines = stack(rng, inks, how, rng.uniform(0.15, 0.7))
    if rng.random() < 0.25:
        return backed(rng, lines, height, random_color(rng), rng.uniform(0, 6))
    return Block(lines)


def laser(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Laser marking and dot peening: thin strokes or dots of little contrast."""
    texts = sample_texts(rng, (*_CODES, *_MARKED), _count(rng, 3))
    if rng.random() < 0.3:
        inks = dot_print(rng, texts, height)
    else:
        inks = typeset(rng, fonts, pick(rng, _FACES), texts, [height] * len(texts))
    return _delimited(rng, Block(stack(rng, inks, process.laser, rng.uniform(0.15, 0.8))))


def stamped(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Stamped, engraved or embossed codes."""
    texts = sample_texts(rng, (*_CODES, *_MARKED), _count(rng, 2))
    kind = pick(rng, ("sans", "condensed", "ocr", "plate", "mono"))
    inks = typeset(rng, fonts, kind, texts, [height] * len(texts))
    return _delimited(rng, Block(stack(rng, inks, process.relief, rng.uniform(0.2, 0.8))))


def _delimited(rng: np.random.Generator, block: Block) -> Block:
    """Put delimiters around some of the vehicle identification numbers of a block."""
    for line in block.lines:
        if is_vin(line.ink.text) and rng.random() < 0.45:
            block.surfaces += delimiters(rng, line.box())
    return block


def label(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Labels and thermal prints: several lines of text and codes on a light background."""
    texts = sample_texts(rng, (*_CODES, "words", "word", "mixed", "price", "vin"), _count(rng, 5))
    sizes = [height * rng.choice([1.0, 1.0, 1.0, 0.7, 1.4]) for _ in texts]
    inks = typeset(rng, fonts, pick(rng, _FACES), texts, sizes)
    how = pick(rng, (process.thermal, process.thermal, process.paint, process.worn))
    lines = stack(rng, inks, how, rng.uniform(0.15, 0.8))
    if rng.random() < 0.7:
        color = random_color(rng, saturation=(0.0, 0.25), value=(0.75, 1.0))
        return _delimited(rng, backed(rng, lines, height, color, rng.uniform(0, 5)))
    return _delimited(rng, Block(lines))


def _amounts(
    rng: np.random.Generator, rows: Sequence[PrintedLine], inks: Sequence[Ink], height: float
) -> list[PrintedLine]:
    """Set amounts flush right beside rows with enough room."""
    edge = max(row.box()[2] for row in rows) + rng.uniform(0, 5) * height
    lines = []
    for index, ink in zip(rng.permutation(len(rows)), inks, strict=False):
        row, (x0, y0, x1, y1) = rows[index], ink.box
        if (
            edge - (x1 - x0) - row.box()[2] > 2 * height
        ):  # at less distance, both are one line of text
            middle = (row.box()[1] + row.box()[3]) / 2
            lines.append(PrintedLine(ink, edge - x1, middle - (y0 + y1) / 2, row.process, row.seed))
    return lines


def receipt(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Receipts and documents: dense lines of one face on paper, often with amounts at the right."""
    kinds = ("paper", "paper", "paper", "date", "words", "price", "code", "contact")
    rows = int(rng.integers(2, 9) if rng.random() < 0.6 else rng.integers(9, 25))
    amounts = rows // 2 if rng.random() < 0.4 else 0
    texts = sample_texts(rng, kinds, rows) + sample_texts(rng, ("price",), amounts)
    if rng.random() < 0.15:
        inks = dot_print(rng, texts, height)
    else:
        kind = pick(rng, ("mono", "mono", "sans", "serif", "condensed"))
        inks = typeset(rng, fonts, kind, texts, [height] * len(texts))
    how = pick(rng, (process.thermal, process.paint, process.worn))
    lines = stack(rng, inks[:rows], how, rng.uniform(0.1, 0.6), align="left")
    lines += _amounts(rng, lines, inks[rows:], height)
    color = random_color(rng, saturation=(0.0, 0.12), value=(0.82, 1.0))
    return backed(rng, lines, height, color, rng.uniform(0, 4))


def page(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Pages of offices: sentences, names and numbers of one common face, dark on white."""
    kinds = ("words", "words", "words", "word", "number", "number", "price", "date", "measure")
    texts = sample_texts(rng, kinds, 1 if rng.random() < 0.4 else int(rng.integers(2, 13)))
    kind = pick(rng, ("serif", "serif", "sans", "sans", "mono", "condensed"))
    inks = typeset(rng, fonts, kind, texts, [height] * len(texts))
    lines = stack(rng, inks, process.paint, rng.uniform(0.1, 0.8), align="left")
    color = random_color(rng, saturation=(0.0, 0.06), value=(0.9, 1.0))
    return backed(rng, lines, height, color, rng.uniform(0, 1))


def _digits(rng: np.random.Generator, height: float) -> Ink:
    """Draw a text on the simplest display that supports it."""
    text = sample_text(rng, pick(rng, ("meter", "meter", "meter", "time", "code")))
    cells = 14 if rng.random() < 0.1 or not segments.supports(text, 7) else 7
    if not segments.supports(text, cells):
        text, cells = sample_text(rng, "meter"), 7
    style = segments.SegmentStyle.sample(rng, cells)
    return segments.draw(text, max(10.0, height), rng, style=style)


def display(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Seven- and fourteen-segment displays with units and marks beside the digits."""
    glowing = rng.random() < 0.25
    ink = _digits(rng, height)
    how = process.led if glowing else process.lcd
    lines = stack(rng, [ink], how, 0.3)
    seed = lines[0].seed
    x0, y0, x1, y1 = lines[0].box()
    if rng.random() < 0.7:
        [small] = typeset(
            rng, fonts, "sans", [pick(rng, _UNITS)], [height * rng.uniform(0.2, 0.42)]
        )
        x, y = x1 + height * rng.uniform(0.02, 0.5), rng.uniform(y0, y1 - 0.2 * height)
        lines.append(PrintedLine(small, x, y, how, seed, main=False))
    if rng.random() < 0.2:
        signs = typeset(rng, fonts, "sans", ("R", "Y", "B"), [height * 0.28] * 3)
        for row, small in enumerate(signs):
            x, y = x0 - height * rng.uniform(0.35, 0.5), y0 + row * height * 0.36
            lines.append(PrintedLine(small, x, y, how, seed, main=False))
    if rng.random() < 0.3:
        [small] = typeset(
            rng, fonts, "sans", [pick(rng, _MARKS)], [height * rng.uniform(0.15, 0.3)]
        )
        above = rng.random() < 0.6
        y = y0 - height * rng.uniform(0.45, 0.7) if above else y1 + height * rng.uniform(0.05, 0.3)
        x = rng.uniform(x0, max(x0 + 1, x1 - height))
        lines.append(PrintedLine(small, x, y, how, seed, main=False))
    if glowing:
        color = random_color(rng, value=(0.0, 0.25))
    else:
        saturation = (0.3, 1.0) if rng.random() < 0.6 else (0.0, 0.3)
        color = random_color(rng, saturation=saturation, value=(0.3, 1.0))
    block = backed(rng, lines, height * rng.choice([0.25, 0.7]), color, rng.uniform(0, 8))
    if rng.random() < 0.6:
        _add_bezel(rng, block, height)
    return block


def _add_bezel(rng: np.random.Generator, block: Block, height: float) -> None:
    """Put a frame around a display: its edge beside the digits looks like a 1."""
    window, _ = block.surfaces[0]
    dark = random_color(rng, saturation=(0.0, 0.3), value=(0.0, 0.35))
    light = random_color(rng, saturation=(0.0, 0.2), value=(0.4, 0.9))
    for color in (light, dark) if rng.random() < 0.5 else (dark,):
        width = height * rng.uniform(0.06, 0.9)
        (x0, y0), (x1, y1) = window.min(0) - width, window.max(0) + width
        window = corners(x0, y0, x1, y1)
        block.surfaces.insert(0, (window, flat(rng, color, rng.uniform(0, 6))))


def _plate_emblems(rng: np.random.Generator, line: PrintedLine) -> list[tuple[np.ndarray, Surface]]:
    """Return emblems before, after or in the gaps of a plate's characters."""
    x0, y0, x1, y1 = line.box()
    height, chars = y1 - y0, line.ink.chars + np.array([line.x, line.y] * 2)
    gaps = [(x0 - rng.uniform(0.5, 1.3) * height, x0), (x1, x1 + rng.uniform(0.5, 1.3) * height)]
    blanks = [i for i, c in enumerate(line.ink.text) if c == " "]
    gaps += 3 * [(float(chars[i - 1, 2]), float(chars[i + 1, 0])) for i in blanks]
    out = []
    for _ in range(int(rng.integers(1, 3))):
        left, right = gaps[int(rng.integers(len(gaps)))]
        grow, low = rng.uniform(0.4, 1.15), rng.uniform(-0.15, 0.3) * height
        middle, half = (left + right) / 2, grow * max(right - left, 0.25 * height) / 2
        out.append(emblem(rng, (middle - half, y0 + low, middle + half, y1 + low / 2)))
    return out


def _stacked_letters(
    rng: np.random.Generator, fonts: FontLibrary, kind: str, line: PrintedLine
) -> list[PrintedLine]:
    """Return two or three small letters one below the other, beside a plate's characters.

    Many plates of the USA have them. They tell the county or the kind of plate, and do not belong
    to its number.
    """
    x0, y0, x1, y1 = line.box()
    letters = rng.choice(list(NO_IOQ), int(rng.integers(2, 4))).tolist()
    size = (y1 - y0) * rng.uniform(0.6, 0.85) / len(letters)
    inks = typeset(rng, fonts, kind, letters, [size] * len(letters))
    lines = stack(rng, inks, process.plate, rng.uniform(0.1, 0.35), align="center")
    boxes = np.array([letter.box() for letter in lines])
    width, height = boxes[:, 2:].max(0) - boxes[:, :2].min(0)
    distance = rng.uniform(0.08, 0.5) * (y1 - y0)
    left = x0 - distance - width if rng.random() < 0.5 else x1 + distance
    top = (y0 + y1 - height) / 2
    return [replace(x, x=x.x + left, y=x.y + top, seed=line.seed, main=False) for x in lines]


def _two_rows(text: str) -> list[str]:
    """Return a plate's text in two rows, split at its separator or in the middle."""
    at = next((i for i, c in enumerate(text) if c in " -" and 1 < i < len(text) - 2), None)
    if at is None:
        at = len(text) // 2
        return [text[:at].strip(), text[at:].strip()]
    return [text[:at], text[at + 1 :]]


def plate(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Number plates: border, small print above and below, stacked letters, a band, emblems."""
    kind = pick(rng, ("plate", "condensed", "sans", "plate"))
    rows = [sample_text(rng, "plate")]
    if rng.random() < 0.15:  # motorcycles and trucks
        rows = _two_rows(rows[0])
    inks = typeset(rng, fonts, kind, rows, [height] * len(rows))
    lines = stack(rng, inks, process.plate, rng.uniform(0.1, 0.4), align="center")
    if len(rows) == 1 and rng.random() < 0.12:
        lines += _stacked_letters(rng, fonts, kind, lines[0])
    boxes = np.array([line.box() for line in lines])
    (x0, y0), (x1, y1) = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    for place in ("above", "below"):
        if rng.random() < 0.5:
            size = height * rng.uniform(0.14, 0.34)
            [small] = typeset(rng, fonts, None, [sample_text(rng, "words")], [size])
            sx0, sy0, sx1, sy1 = small.box
            if sx1 - sx0 > (x1 - x0) * 1.3:
                continue
            x = (x0 + x1 - sx1 - sx0) / 2 + rng.normal(0, 0.1 * (x1 - x0))
            space = height * rng.uniform(0.06, 0.3)
            y = y0 - space - sy1 if place == "above" else y1 + space - sy0
            lines.append(PrintedLine(small, x, y, process.paint, new_seed(rng), main=False))
    dark = rng.random() < 0.2
    color = random_color(rng, value=(0.05, 0.4)) if dark else random_color(rng, value=(0.6, 1.0))
    block = backed(rng, lines, height * 0.55, color, rng.uniform(0, 8))
    quad = block.surfaces[0][0]
    if rng.random() < 0.6:  # a frame: a slightly larger surface of another color below
        rim = rng.uniform(0.03, 0.15) * height
        frame = quad + np.sign(quad - quad.mean(0)) * rim
        block.surfaces.insert(0, (frame, flat(rng, ink_color(rng, color, 120, True), 3)))
    if not dark and rng.random() < 0.3:  # the blue band of European plates
        band = quad.copy()
        band[[0, 3], 0] -= rng.uniform(0.3, 0.5) * height
        band[[1, 2], 0] = quad[0, 0]
        blue = random_color(rng, hue=(0.6, 0.68), saturation=(0.6, 1), value=(0.3, 0.8))
        block.surfaces.append((band, flat(rng, blue, 3)))
    if rng.random() < 0.35:
        block.surfaces += _plate_emblems(rng, lines[0])
    return block


def scene_text(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Signs, posters and packages: words in any face and color."""
    kinds = (*["word"] * 4, "words", "words", "mixed", "short", "contact", "price", "code")
    texts = sample_texts(rng, kinds, _count(rng, 4))
    sizes = [height * rng.choice([1.0, 1.0, 0.7, 1.5]) for _ in texts]
    kind = (
        "display" if rng.random() < 0.35 else None
    )  # script and decorative faces, frequent on shops
    inks = typeset(rng, fonts, kind, texts, sizes)
    hows = (process.paint, process.paint, process.paint, process.worn, process.relief)
    how = process.lettering if rng.random() < 0.35 else pick(rng, hows)
    lines = stack(rng, inks, how, rng.uniform(0.15, 0.9))
    if len(texts) == 1 and len(texts[0]) <= LONGEST_ARC and rng.random() < 0.5:  # slanted crops
        if rng.random() < 0.55:
            lines[0].bend = rng.uniform(0.5, 2.4) * rng.choice([-1, -1, 1])
        lines[0].tilt = rng.normal(0, 0.28)
    if rng.random() < 0.3:
        return backed(rng, lines, height, random_color(rng), rng.uniform(0, 8))
    return Block(lines)


def words(rng: np.random.Generator, fonts: FontLibrary, height: float, lexicon: Lexicon) -> Block:
    """Labels and signs in the words of an alphabet besides ASCII."""
    texts = [lexicon.sample(rng) for _ in range(_count(rng, 3))]
    # one face draws the whole block, and few faces draw every character of an alphabet
    texts = fonts.drawable(texts) or [lexicon.plain(rng)]
    kind = pick(rng, ("sans", "sans", "serif", "mono", "condensed", "display"))
    inks = typeset(rng, fonts, kind, texts, [height] * len(texts))
    hows = (process.paint, process.thermal, process.worn, process.paint, process.relief)
    lines = stack(rng, inks, pick(rng, hows), rng.uniform(0.15, 0.8))
    if rng.random() < 0.4:
        return backed(rng, lines, height, random_color(rng), rng.uniform(0, 6))
    return Block(lines)


SCENES: dict[str, tuple[Scene, float]] = {
    "inkjet": (inkjet, 0.22),
    "laser": (laser, 0.08),
    "stamped": (stamped, 0.08),
    "label": (label, 0.13),
    "receipt": (receipt, 0.11),
    "page": (page, 0.06),
    "display": (display, 0.11),
    "plate": (plate, 0.13),
    "scene": (scene_text, 0.1),
    "sign": (sign, 0.1),
    "table": (table, 0.08),
    "scale": (scale, 0.03),
}


def sample_block(
    rng: np.random.Generator, fonts: FontLibrary, height: float, scenes: Sequence[str] = ()
) -> Block:
    """Return a block of a random scene.

    Args:
        rng: Random generator.
        fonts: Fonts to write with.
        height: Nominal height of the main text in block pixels.
        scenes: Names of the scenes; empty for all, with industrial prints most frequent.
    """
    names = list(scenes or SCENES)
    weights = np.array([SCENES[name][1] for name in names])
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    block = SCENES[name][0](rng, fonts, height)
    if rng.random() < 0.15 and not any(line.arc() for line in block.lines):  # on a can or a cap
        sagitta = rng.uniform(-0.7, 0.7) * height
        for line in block.lines:
            line.bend = 8 * sagitta / line.ink.mask.shape[1]
    return block
