"""Generated line images of a product: its print, its grounds, its blur, texts of its pattern."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk.rectify.crop import CROP_HEIGHT
from training.specialize.measure import BAND_PX, TEXT_PX
from training.specialize.prints import DOTS, OUTLINE, SEGMENTS, Print
from training.specialize.survey import ProductLine
from training.synth import noise, process
from training.synth.block import Block, paint
from training.synth.degrade import degrade
from training.synth.generator import fit_line
from training.synth.layout import stack
from training.synth.legibility import inside, likeness
from training.synth.pattern_texts import PatternTexts
from training.synth.pens import dot_matrix, outline, segments
from training.synth.pens.ink import Ink

__all__ = ["ProductGenerator"]

# The most similar prints draw most lines, the others of their kind the rest.
_NEAREST = 10
_NEAREST_SHARE = 0.75
# Share of lines in the measured ink, the others in the inks of the general generator.
_MEASURED_SHARE = 0.7
_OTHER_GROUND = 0.2
_SEVERITY = 0.5
_TRIES = 12
# Bounds of a legible line, chosen on 228 lines judged by eye (docs/results/specialize.md).
_LEAST_INSIDE = 0.5
_LEAST_LIKENESS = 0.57

_PROCESSES = {
    OUTLINE: (process.paint, process.thermal, process.worn, process.laser, process.inkjet),
    DOTS: (process.inkjet, process.inkjet, process.laser),
    SEGMENTS: (process.lcd, process.led),
}


class ProductGenerator:
    """Generates line images of a product by (seed, index)."""

    def __init__(
        self,
        lines: Sequence[ProductLine],
        prints: Sequence[Print],
        texts: PatternTexts,
        seed: int = 0,
    ) -> None:
        """Prepare the generator.

        Args:
            lines: Lines of the product's photos, at least one.
            prints: Prints from `rank_prints`, the most similar first, at least one.
            texts: Texts of the product.
            seed: Seed of all pictures.
        """
        self._lines = list(lines)
        kind = prints[0].kind
        self._prints = [each for each in prints if each.kind == kind]
        self._texts = texts
        self._seed = seed
        self._stretches: dict[tuple[str, int], float] = {}

    def line(self, index: int) -> tuple[NDArray[np.uint8], str]:
        """Return line image ``index``: uint8 RGB (32, W, 3) and its text."""
        rng = np.random.default_rng([self._seed, index])
        image, text = None, ""
        for _ in range(_TRIES):  # until a line is legible
            made = self._try(rng)
            if made is not None:
                image, text, clear = made
                if clear:
                    break
        while image is None:
            made = self._try(rng)
            image, text = (made[0], made[1]) if made is not None else (None, "")
        return image, text

    def _try(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], str, bool] | None:
        like = self._lines[int(rng.integers(len(self._lines)))]
        near = self._prints[:_NEAREST] if rng.random() < _NEAREST_SHARE else self._prints
        drawn_by = near[int(rng.integers(len(near)))]
        texts = [self._texts.sample(rng)]
        if rng.random() < 0.4:  # the line above or below, of which a crop shows a part
            texts.insert(int(rng.integers(2)), self._texts.sample(rng))
        height = float(rng.uniform(30, 44))
        stretch = self._stretch(drawn_by, like)
        inks = [_ink(text, height, drawn_by, like, stretch, rng) for text in texts]
        if any(ink is None for ink in inks):
            return None
        lines = stack(rng, [ink for ink in inks if ink], self._process(like, rng), _gap(rng))
        main = int(rng.integers(len(lines)))
        fitted = fit_line(rng, Block(lines), main, alone=len(lines) == 1)
        if fitted is None:
            return None
        matrix, width, text_px = fitted
        canvas = self._ground(like, width, text_px, rng)
        bare = canvas.copy()
        done = paint(canvas, Block(lines), matrix, legible_px=0.0)[main]
        image = _photographed(canvas, like, text_px, np.random.default_rng(rng.integers(2**31)))
        clear = (
            inside(lines[main], matrix, (width, CROP_HEIGHT)) >= _LEAST_INSIDE
            and likeness(image, canvas - bare, done.chars, done.text) >= _LEAST_LIKENESS
        )
        return image, done.text, clear

    def _stretch(self, drawn_by: Print, like: ProductLine) -> float:
        """Return the width of a product's line as a multiple of that of its plain drawing."""
        key = drawn_by.name, id(like)
        if key not in self._stretches:
            plain = drawn_by.draw(like.text, TEXT_PX, np.random.default_rng(0))
            stretch = 1.0
            if plain is not None:
                m = 2 * plain.margin
                drawn = (plain.mask.shape[1] - m) / max(plain.mask.shape[0] - m, 1)
                stretch = (like.band.shape[1] - TEXT_PX) / TEXT_PX / max(drawn, 0.1)
            self._stretches[key] = stretch
        return self._stretches[key]

    def _process(self, like: ProductLine, rng: np.random.Generator) -> process.Process:
        if rng.random() < _MEASURED_SHARE:
            return _measured_ink(like)
        choices = _PROCESSES[self._prints[0].kind]
        return choices[int(rng.integers(len(choices)))]

    def _ground(
        self, like: ProductLine, width: int, text_px: float, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return a painted-over ground at the scale of a line image, float32 (32, width, 3)."""
        if rng.random() < _OTHER_GROUND:
            like = self._lines[int(rng.integers(len(self._lines)))]
        scale = TEXT_PX / max(text_px, 4.0)
        rows = min(BAND_PX, max(8, round(CROP_HEIGHT * scale)))
        columns = max(8, round(width * scale))
        ground = like.ground
        top = int(rng.integers(0, BAND_PX - rows + 1))
        part = ground[top : top + rows]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        while part.shape[1] < columns:  # mirrored, so that no edge shows
            part = np.concatenate([part, part[:, ::-1]], 1)
        left = int(rng.integers(0, part.shape[1] - columns + 1))
        part = np.ascontiguousarray(part[:, left : left + columns])
        resized = cv2.resize(part, (width, CROP_HEIGHT), interpolation=cv2.INTER_AREA)
        return resized.astype(np.float32) + np.float32(rng.normal(0, 6))


def _gap(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.1, 0.6))


def _ink(
    text: str,
    height: float,
    like_print: Print,
    like: ProductLine,
    stretch: float,
    rng: np.random.Generator,
) -> Ink | None:
    """Draw a text with the deviations that prints of a kind have, near the measured ones."""
    stretch = float(np.clip(stretch * np.exp(rng.normal(0, 0.1)), 0.4, 2.2))
    slant = float(np.clip(like.ink.slant + rng.normal(0, 0.05), -0.35, 0.45))
    try:
        if like_print.kind == DOTS:
            dots = dot_matrix.DotStyle.sample(rng)
            keep = {name: getattr(dots, name) for name in _DOT_FAULTS}
            style = dot_matrix.DotStyle(
                grid=like_print.grid,
                radius=float(np.clip(like_print.radius + rng.normal(0, 0.08), 0.25, 0.75)),
                aspect=stretch,
                slant=slant * like_print.grid[1],
                **keep,
            )
            return dot_matrix.draw(text, height, rng, style=style)
        if like_print.kind == SEGMENTS:
            if not segments.supports(text, like_print.cells):
                return None
            return segments.draw(
                text, height, rng, style=segments.SegmentStyle.sample(rng, like_print.cells)
            )
        if like_print.face is None or not like_print.face.covers(text):
            return None
        loose = rng.random() < 0.4  # a wide line has wide letters, or wide gaps
        usual = outline.OutlineStyle.sample(rng)
        type_style = outline.OutlineStyle(
            gap=float(np.clip(0.6 * (stretch - 1), -0.1, 0.8)) if loose else 0.0,
            x_scale=1.0 if loose else stretch,
            slant=slant,
            weight=usual.weight,
            jitter=usual.jitter,
            gap_jitter=usual.gap_jitter,
            word_gap=usual.word_gap,
        )
        return outline.draw(text, height, rng, face=like_print.face, style=type_style)
    except (KeyError, ValueError):
        return None


_DOT_FAULTS = (
    "square", "gap", "space", "missing", "dead_row", "scatter", "size_scatter", "row_shift",
    "column_shift", "char_shift", "wobble", "fade",
)  # fmt: skip


def _measured_ink(like: ProductLine) -> process.Process:
    """Return a process that changes the ground as the product's ink does."""

    def add(surface: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
        # strokes in a photo are paler at their edges, so that the mean is below the full contrast
        strength = float(rng.uniform(0.7, 1.5))
        height, width = coverage.shape
        if rng.random() < 0.35:
            coverage = coverage * np.clip(
                0.9 + 0.25 * noise.fractal(rng, height, width, rng.uniform(0.5, 4)), 0.1, 1.2
            )
        surface += coverage[..., None] * (like.ink.color * strength)

    return add


def _photographed(
    image: NDArray[np.float32], like: ProductLine, text_px: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the picture with blur and noise as in the photos, and mild other degradations."""
    sigma = like.ink.blur * text_px * float(rng.uniform(0.3, 1.2))
    if sigma > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), min(sigma, 0.12 * text_px))
    grain = rng.normal(0, like.ink.noise * float(rng.uniform(0, 1.3)) + 0.3, image.shape)
    done = degrade(image + grain.astype(np.float32), rng, text_px, _SEVERITY, 0.02)
    if like.is_gray:
        done = np.repeat(cv2.cvtColor(done, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return np.asarray(done, np.uint8)
