"""Layout of scenes: texts in one face, stacked, on a surface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from training.synth import noise, process
from training.synth.block import Block, PrintedLine, Surface, corners
from training.synth.fonts import FontLibrary
from training.synth.pens import dot_matrix, outline
from training.synth.pens.ink import Ink
from training.synth.text import sample_text

__all__ = ["backed", "dot_print", "flat", "new_seed", "pick", "sample_texts", "stack", "typeset"]

_Item = TypeVar("_Item")


def new_seed(rng: np.random.Generator) -> int:
    """Return a seed for a later or repeated drawing."""
    return int(rng.integers(2**31))


def pick(rng: np.random.Generator, items: Sequence[_Item]) -> _Item:
    """Return one of the items."""
    return items[int(rng.integers(len(items)))]


def sample_texts(rng: np.random.Generator, kinds: Sequence[str], count: int) -> list[str]:
    """Return texts of random kinds."""
    return [sample_text(rng, pick(rng, kinds)) for _ in range(count)]


def typeset(
    rng: np.random.Generator,
    fonts: FontLibrary,
    kind: str | None,
    texts: Sequence[str],
    sizes: Sequence[float],
    style: outline.OutlineStyle | None = None,
) -> list[Ink]:
    """Draw lines with one face in one style, each with its own height of capitals."""
    face = fonts.sample(rng, kind, "".join(texts))
    style = style or outline.OutlineStyle.sample(rng)
    return [
        outline.draw(text, max(8.0, size), rng, face=face, style=style)
        for text, size in zip(texts, sizes, strict=True)
    ]


def dot_print(rng: np.random.Generator, texts: Sequence[str], height: float) -> list[Ink]:
    """Draw lines with one dot-matrix head."""
    style = dot_matrix.DotStyle.sample(rng)
    return [dot_matrix.draw(text, max(8.0, height), rng, style=style) for text in texts]


def stack(
    rng: np.random.Generator,
    inks: Sequence[Ink],
    print_process: process.Process,
    gap: float,
    *,
    align: str | None = None,
) -> list[PrintedLine]:
    """Stack lines with a spacing of ``gap`` times their height."""
    align = align or pick(rng, ("left", "left", "center"))
    seed, lines, y = new_seed(rng), [], 0.0
    widest = max(ink.box[2] - ink.box[0] for ink in inks)
    for ink in inks:
        x0, y0, x1, y1 = ink.box
        shift = (widest - (x1 - x0)) / 2 if align == "center" else 0.0
        lines.append(PrintedLine(ink, shift - x0, y - y0, print_process, seed))
        y += (y1 - y0) * (1 + gap)
    return lines


def flat(rng: np.random.Generator, color: np.ndarray, texture: float) -> Surface:
    """Return a surface of one color with grain."""
    seed = new_seed(rng)

    def paint(patch: np.ndarray, coverage: np.ndarray) -> None:
        local = np.random.default_rng(seed)
        height, width = coverage.shape
        grain = noise.fractal(local, height, width, local.uniform(1, 8)) * texture
        patch += (color + grain[..., None] - patch) * coverage[..., None]

    return paint


def backed(
    rng: np.random.Generator,
    lines: list[PrintedLine],
    height: float,
    color: np.ndarray,
    texture: float,
) -> Block:
    """Return a block of the lines on a rectangle of ``color``."""
    block = Block(lines)
    x0, y0, x1, y1 = block.box()
    left, right, top, bottom = rng.uniform(0.15, 1.2, 4) * height
    quad = corners(x0 - left, y0 - top, x1 + right, y1 + bottom)
    block.surfaces.append((quad, flat(rng, color, texture)))
    return block
