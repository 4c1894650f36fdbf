"""Signs: single words of shops, badges and packages, in round, slanted and squeezed type."""

from __future__ import annotations

import numpy as np

from training.synth import process
from training.synth.block import Block
from training.synth.color import random_color
from training.synth.fonts import FontLibrary
from training.synth.layout import backed, pick, sample_texts, stack, typeset
from training.synth.pens.outline import OutlineStyle

__all__ = ["LONGEST_ARC", "sign"]

_TEXTS = (*["word"] * 12, "words", "words", "short", "price")
_FACES = ("display", "display", "serif", "sans", "sans", "condensed", None)
_HOWS = (process.paint, process.paint, process.paint, process.lettering, process.relief)
LONGEST_ARC = 14
"""Greatest number of characters round a badge or across a poster."""


def sign(rng: np.random.Generator, fonts: FontLibrary, height: float) -> Block:
    """Set one to three words in one face; a word alone is often bent to an arc, or inclined."""
    rows = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    texts = sample_texts(rng, _TEXTS, rows)
    style = OutlineStyle.sample(rng, x_scale=(0.5, 1.4) if rng.random() < 0.4 else None)
    sizes = [height * rng.choice([1.0, 1.0, 0.7, 1.4]) for _ in texts]
    inks = typeset(rng, fonts, pick(rng, _FACES), texts, sizes, style)
    lines = stack(rng, inks, pick(rng, _HOWS), rng.uniform(0.05, 0.6))
    if rows == 1:
        if len(texts[0]) <= LONGEST_ARC and rng.random() < 0.4:
            lines[0].bend = rng.uniform(0.5, 2.4) * rng.choice([-1, -1, 1])
            lines[0].tilt = rng.normal(0, 0.4)  # part of a ring
        elif rng.random() < 0.5:
            lines[0].tilt = rng.normal(0, 0.2)
    if rng.random() < 0.6:
        return backed(rng, lines, height, random_color(rng), rng.uniform(0, 4))
    return Block(lines)
