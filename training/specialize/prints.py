"""Which prints of the generator look like a product's lines.

Every face, dot matrix and display draws the text that was read. The glyphs of the drawings are
compared with those of the lines by normalized cross-correlation. The reading may be wrong in single
characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.specialize.measure import TEXT_PX, ink_of
from training.specialize.survey import ProductLine
from training.synth.fonts import FontError, FontFace, FontLibrary
from training.synth.pens import dot_matrix, outline, segments
from training.synth.pens.ink import Ink

__all__ = ["DOTS", "KINDS", "OUTLINE", "SEGMENTS", "Print", "rank_prints"]

OUTLINE, DOTS, SEGMENTS = "outline", "dots", "segments"
KINDS = (OUTLINE, DOTS, SEGMENTS)
"""Kinds of print: faces of fonts, dot matrices, displays."""

_COMPARED = 6
_MOST_FACES = 240
_GLYPH = 20


@dataclass(frozen=True)
class Print:
    """A print of the generator.

    Attributes:
        kind: One of `KINDS`.
        likeness: Mean correlation with the product's lines, -1..1.
        face: The face of kind "outline".
        grid: (columns, rows) of kind "dots".
        cells: Segments of a digit of kind "segments", 7 or 14.
        radius: Radius of the dots in pitches.
    """

    kind: str
    likeness: float = 0.0
    face: FontFace | None = None
    grid: tuple[int, int] = (5, 7)
    cells: int = 7
    radius: float = 0.5

    @property
    def name(self) -> str:
        """Name for reports."""
        if self.kind == DOTS:
            return f"dots {self.grid[0]}x{self.grid[1]}, radius {self.radius:g}"
        if self.kind == SEGMENTS:
            return f"{self.cells} segments"
        return "" if self.face is None else f"{self.face.family} ({self.face.path.stem})"

    def draw(self, text: str, height_px: float, rng: np.random.Generator) -> Ink | None:
        """Draw a text in the plain style of the print, None if it lacks a character."""
        try:
            if self.kind == DOTS:
                style = dot_matrix.DotStyle(grid=self.grid, radius=self.radius)
                return dot_matrix.draw(text, height_px, rng, style=style)
            if self.kind == SEGMENTS:
                if not segments.supports(text, self.cells):
                    return None
                plain = segments.SegmentStyle(segments=self.cells, slant=0.0)
                return segments.draw(text, height_px, rng, style=plain)
            return outline.draw(text, height_px, rng, face=self.face, style=outline.OutlineStyle())
        except (KeyError, FontError, ValueError):
            return None


def rank_prints(
    lines: Sequence[ProductLine], fonts: FontLibrary, kind: str | None = None
) -> list[Print]:
    """Return the prints that can draw the lines, the most similar first.

    Args:
        lines: Lines of the product.
        fonts: Faces to compare.
        kind: Kind of print, if it is known.
    """
    best = sorted(lines, key=lambda line: -line.confidence)[:_COMPARED]
    wanted = [(line.text, _line_glyphs(line)) for line in best]
    rng = np.random.default_rng(0)
    ranked = []
    for each in _candidates(fonts):
        if kind is not None and each.kind != kind:
            continue
        likeness = []
        for text, glyphs in wanted:
            ink = each.draw(text, TEXT_PX, rng)
            if ink is not None:
                likeness.append(_likeness(ink, glyphs))
        if likeness:
            mean = float(np.mean(likeness))
            ranked.append(Print(each.kind, mean, each.face, each.grid, each.cells, each.radius))
    return sorted(ranked, key=lambda each: -each.likeness)


def _candidates(fonts: FontLibrary) -> list[Print]:
    faces: dict[str, FontFace] = {}
    for face in fonts.faces:
        if not face.italic:
            faces.setdefault(f"{face.family} {face.bold}", face)
    chosen = list(faces.values())
    step = max(1, -(-len(chosen) // _MOST_FACES))
    prints = [Print(OUTLINE, face=face) for face in chosen[::step]]
    prints += [
        Print(DOTS, grid=grid, radius=radius)
        for grid in dot_matrix.GRIDS
        for radius in (0.35, 0.5, 0.65)
    ]
    return [*prints, Print(SEGMENTS, cells=7), Print(SEGMENTS, cells=14)]


def _glyphs(
    coverage: NDArray[np.float32], cells: Sequence[tuple[float, float]], text: str
) -> list[NDArray[np.float32] | None]:
    """Return the glyph in each cell of a line, None for spaces and cells without ink.

    A glyph is cropped to its ink, stretched to a square, and has zero mean and unit norm: gaps and
    proportions differ between styles of one face.
    """
    found: list[NDArray[np.float32] | None] = []
    for char, (low, high) in zip(text, cells, strict=True):
        part = coverage[:, max(0, round(low)) : max(0, round(high))]
        strong = part > 0.4 * coverage.max()
        rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
        if char == " " or not len(rows):
            found.append(None)
            continue
        tight = part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        square = cv2.resize(tight, (_GLYPH, _GLYPH), interpolation=cv2.INTER_AREA)
        square = cv2.GaussianBlur(square, (0, 0), 0.8)
        square -= square.mean()
        found.append(square / max(float(np.linalg.norm(square)), 1e-6))
    return found


def _line_glyphs(line: ProductLine) -> list[NDArray[np.float32] | None]:
    half = TEXT_PX // 2
    _, sign = ink_of(line.band)
    pair = [
        cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (line.band, line.ground)
    ]
    change = np.clip(sign * (pair[0] - pair[1]), 0, None)[half - 4 : -half + 4]
    return _glyphs(change, line.cells, line.text)


def _likeness(ink: Ink, wanted: Sequence[NDArray[np.float32] | None]) -> float:
    """Return the mean correlation of the glyphs of a drawing with those of a line."""
    drawn = _glyphs(ink.mask.astype(np.float32), ink.chars[:, [0, 2]].tolist(), ink.text)
    pairs = [(a, b) for a, b in zip(drawn, wanted, strict=True) if a is not None and b is not None]
    return float(np.mean([(a * b).sum() for a, b in pairs])) if pairs else 0.0
