"""The pen of ink-jet coders and needle printers: letters made of dots.

A continuous ink-jet head ejects single columns of drops while the product moves past. Drops are
missing, rows and columns are displaced, the speed of the transport changes the pitch, and dots
bleed into each other. Each of these faults is a field of `DotStyle`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth.pens.dot_glyphs import CHARS_5X5, PLAIN_ZEROS, glyph, variants
from training.synth.pens.ink import MARGIN, Ink, trim

GRIDS = ((5, 7), (5, 5), (7, 9), (6, 8), (9, 12), (12, 16))
"""Faces as (columns, rows) of dots."""
_GRID_CHANCES = (0.5, 0.06, 0.18, 0.06, 0.1, 0.1)
# Least pitch of drawn dots; area averaging reduces the line to its height afterwards, so that dots
# of one pixel still vary in size and place.
_LEAST_PITCH = 5.0
# Least radius of a visible dot, in pixels of the line.
_LEAST_RADIUS = 0.3
_SHIFT = 4
# Texts in which a plain O or a plain zero would be ambiguous.
_DOUBTFUL = re.compile(r"(?<![A-Za-z])O(?![A-Za-z])|(?<=[A-Za-z])0(?=[A-Za-z])|O0|0O")


@dataclass(frozen=True, slots=True)
class DotStyle:
    """Style of a line of dots. Lengths are in dot pitches.

    Attributes:
        grid: (columns, rows) of a character, one of `GRIDS`.
        radius: Radius of a dot.
        square: Whether dots are square pixels (thermal and display heads).
        aspect: Column pitch by row pitch.
        gap: Empty columns between characters.
        space: Width of a space as a share of a character's width.
        proportional: Whether narrow characters have only their own columns.
        slant: Shear of the line over its height, in columns; positive leans right.
        missing: Share of missing dots.
        dead_row: A row in which most dots are missing, or -1.
        scatter: Standard deviation of the dots' positions.
        size_scatter: Standard deviation of the dots' radii as a share of the radius.
        row_shift: Standard deviation of the rows' horizontal displacements.
        column_shift: Standard deviation of the columns' vertical displacements.
        char_shift: Standard deviation of the characters' vertical displacements.
        wobble: Standard deviation of the slowly varying column pitch.
        bold: Distance of double columns; 0 for single columns.
        fade: Greatest share by which dots are paler.
    """

    grid: tuple[int, int] = (5, 7)
    radius: float = 0.5
    square: bool = False
    aspect: float = 1.0
    gap: float = 1.0
    space: float = 1.0
    proportional: bool = False
    slant: float = 0.0
    missing: float = 0.0
    dead_row: int = -1
    scatter: float = 0.0
    size_scatter: float = 0.0
    row_shift: float = 0.0
    column_shift: float = 0.0
    char_shift: float = 0.0
    wobble: float = 0.0
    bold: float = 0.0
    fade: float = 0.0

    @classmethod
    def sample(cls, rng: np.random.Generator) -> DotStyle:
        """Return a random style; each fault occurs in a minority of lines."""
        u = rng.random(12)
        columns, rows = GRIDS[int(np.searchsorted(np.cumsum(_GRID_CHANCES), rng.random()))]
        wide = columns / rows * 1.4
        radius = rng.uniform(0.25, 0.75) if u[0] < 0.5 else rng.uniform(0.36, 0.6)
        # large dots in double columns would fill the counters
        radius = min(radius, 0.5) if u[11] < 0.12 else radius
        return cls(
            grid=(columns, rows),
            radius=float(radius),
            square=bool(u[1] < 0.12),
            aspect=float(np.clip(np.exp(rng.normal(0.0, 0.27)), 0.55, 1.9) / max(wide, 1.0)),
            gap=float(rng.choice((1, 1, 1, 2, 2, 3))) * (columns / 5) + float(rng.random() < 0.2),
            space=float(rng.uniform(0.6, 1.5)),
            proportional=bool(u[2] < 0.3),
            slant=float(rng.normal(0, 1.1)) if u[3] < 0.45 else 0.0,
            missing=float(rng.uniform(0.0, 0.07)) if u[4] < 0.3 else 0.0,
            dead_row=int(rng.integers(rows)) if u[5] < 0.05 else -1,
            scatter=float(rng.uniform(0.02, 0.14)) if u[6] < 0.6 else 0.0,
            size_scatter=float(rng.uniform(0.03, 0.2)) if u[6] < 0.5 else 0.0,
            row_shift=float(rng.uniform(0.05, 0.28)) if u[7] < 0.2 else 0.0,
            column_shift=float(rng.uniform(0.04, 0.22)) if u[8] < 0.25 else 0.0,
            char_shift=float(rng.uniform(0.1, 0.5)) if u[9] < 0.12 else 0.0,
            wobble=float(rng.uniform(0.03, 0.18)) if u[10] < 0.3 else 0.0,
            bold=float(rng.uniform(0.35, 1.0)) if u[11] < 0.12 else 0.0,
            fade=float(rng.uniform(0.1, 0.6)) if rng.random() < 0.25 else 0.0,
        )


def draw(
    text: str,
    height_px: float,
    rng: np.random.Generator,
    *,
    style: DotStyle | None = None,
    margin: int = MARGIN,
) -> Ink:
    """Draw a line of dot-matrix print.

    Args:
        text: Printable ASCII and spaces, with at least one visible character. The 5x5 face has
            capitals and digits; the 5x7 face draws texts with other characters.
        height_px: Height of a character's cell.
        rng: Random generator of the style and its faults.
        style: Style of the line; None for a random style.
        margin: Pixels around the line's box.

    Returns:
        The line, anti-aliased.

    Raises:
        ValueError: `height_px` is below 4, or `text` has no visible character.
        KeyError: A character is not printable ASCII.
    """
    if height_px < 4:
        raise ValueError(f"height_px is {height_px}: letters need at least 4 pixels")
    if not text.strip():
        raise ValueError(f"no visible character in {text!r}")
    if style is None:
        style = DotStyle.sample(rng)
    if style.grid[1] == 5 and not CHARS_5X5.issuperset(text.replace(" ", "")):
        style = replace(style, grid=(5, 7))
    dots, spans = _place(text, style, rng)
    return _paint(text, height_px, dots, spans, style, rng, margin)


def _shapes(text: str, rng: np.random.Generator) -> dict[str, str]:
    """Return a shape for each different character of the line."""
    out = {}
    for char in sorted(set(text) - {" "}):
        choices = variants(char)
        if char == "0" and not _DOUBTFUL.search(text) and rng.random() < 0.75:
            choices = PLAIN_ZEROS
        out[char] = choices[int(rng.integers(len(choices)))] if len(choices) > 1 else choices[0]
    return out


def _place(
    text: str, style: DotStyle, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return dots (m, 4) as x, y, radius factor, row, and spans (n, 2), in pitches."""
    columns, rows = style.grid
    shapes = _shapes(text, rng)
    pieces: list[NDArray[np.float64]] = []
    spans = np.empty((len(text), 2))
    x = 0.0
    for i, char in enumerate(text):
        if char == " ":
            width = (columns + style.gap) * style.space - style.gap
            spans[i] = x, x + max(width, 0.5)
            x = spans[i, 1] + style.gap
            continue
        bits = glyph(char, columns, rows, shapes[char])
        ys, xs = np.nonzero(bits)
        first, width = 0, columns
        if style.proportional:
            first, width = int(xs.min()), int(xs.max() - xs.min()) + 1
        if len(ys) > 5 and style.missing:
            keep = rng.random(len(ys)) >= style.missing
            ys, xs = ys[keep], xs[keep]
        if style.dead_row >= 0 and len(ys) > 5:
            keep = (ys != style.dead_row) | (rng.random(len(ys)) < 0.15)
            ys, xs = ys[keep], xs[keep]
        lift = rng.normal(0, style.char_shift) if style.char_shift else 0.0
        piece = np.empty((len(ys), 4))
        piece[:, 0] = xs - first + x + 0.5
        piece[:, 1] = ys + 0.5 + lift
        piece[:, 2] = 1.0
        piece[:, 3] = ys
        pieces.append(piece)
        spans[i] = x, x + width
        x += width + style.gap
    dots = np.concatenate(pieces)
    _disturb(dots, spans, style, rng)
    return dots, spans


def _disturb(
    dots: NDArray[np.float64],
    spans: NDArray[np.float64],
    style: DotStyle,
    rng: np.random.Generator,
) -> None:
    """Displace and resize the dots, and displace the spans, in place."""
    rows = style.grid[1]
    column = dots[:, 0].astype(int)
    row = dots[:, 3].astype(int)
    last = int(max(spans.max(), dots[:, 0].max())) + 2
    if style.column_shift:
        dots[:, 1] += rng.normal(0, style.column_shift, last)[column]
    if style.wobble:
        # a smooth random pitch around 1, integrated to positions
        speed = np.convolve(rng.normal(0, style.wobble, last + 8), np.full(8, 8**-0.5), "valid")
        edges = np.concatenate(([0.0], np.cumsum(np.clip(1 + speed[:last], 0.55, 1.6))))
        at = np.arange(len(edges))
        dots[:, 0] = np.interp(dots[:, 0], at, edges)
        spans[:] = np.interp(spans, at, edges)
    if style.row_shift:
        dots[:, 0] += rng.normal(0, style.row_shift, rows)[row]
    if style.slant:
        dots[:, 0] += style.slant * (0.5 - (dots[:, 1] / rows))
    if style.scatter:
        dots[:, :2] += rng.normal(0, style.scatter, (len(dots), 2))
    if style.size_scatter:
        dots[:, 2] = np.clip(rng.normal(1, style.size_scatter, len(dots)), 0.4, 1.6)


def _paint(
    text: str,
    height_px: float,
    dots: NDArray[np.float64],
    spans: NDArray[np.float64],
    style: DotStyle,
    rng: np.random.Generator,
    margin: int,
) -> Ink:
    rows = style.grid[1]
    pitch = height_px / rows
    zoom = max(1, int(np.ceil(_LEAST_PITCH / pitch)))
    step_y = pitch * zoom
    step_x = step_y * style.aspect
    # the radius follows the row pitch: a larger column pitch separates the dots
    radius = style.radius * step_y * min(1.0, max(style.aspect, 0.75))
    radius = max(radius, _LEAST_RADIUS * zoom)
    pad = 2.5 * step_y + 2 * abs(style.slant) * step_x
    x = dots[:, 0] * step_x + pad
    y = dots[:, 1] * step_y + pad
    width = int(max(spans.max() * step_x, x.max() - pad) + 2 * pad + style.bold * step_x)
    height = int(rows * step_y + 2 * pad)
    # multiples of the zoom, for which area averaging is fastest
    height, width = -(-height // zoom) * zoom, -(-width // zoom) * zoom
    canvas = np.zeros((height, width), np.uint8)
    shades = 255 - rng.uniform(0, 255 * style.fade, len(dots)) if style.fade else None
    one = 1 << _SHIFT
    # pixel centers are at +0.5 here, at integers in OpenCV
    xs = np.rint((x - 0.5) * one).astype(int).tolist()
    ys = np.rint((y - 0.5) * one).astype(int).tolist()
    # OpenCV's anti-aliased circle is half a pixel larger than its radius.
    sizes = np.maximum(np.rint((radius * dots[:, 2] - 0.5) * one), one // 2).astype(int).tolist()
    values = [255] * len(xs) if shades is None else shades.astype(int).tolist()
    passes = (0, round(style.bold * step_x * one)) if style.bold else (0,)
    for shift in passes:
        for cx, cy, size, value in zip(xs, ys, sizes, values, strict=True):
            if style.square:
                corner = (cx + shift - size, cy - size)
                cv2.rectangle(
                    canvas, corner, (corner[0] + 2 * size, corner[1] + 2 * size), value, -1,
                    cv2.LINE_AA, _SHIFT,
                )  # fmt: skip
            else:
                cv2.circle(canvas, (cx + shift, cy), size, value, -1, cv2.LINE_AA, _SHIFT)
    band = (pad + rows * 0.3 * step_y, pad + rows * step_y)
    spans_px = spans * step_x + pad
    spans_px[:, 1] += style.bold * step_x
    if zoom > 1:
        canvas = cv2.resize(canvas, (width // zoom, height // zoom), interpolation=cv2.INTER_AREA)
        spans_px, band = spans_px / zoom, (band[0] / zoom, band[1] / zoom)
    return trim(canvas, spans_px.astype(np.float32), text, band, margin=margin)
