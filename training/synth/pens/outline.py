"""The pen of ordinary print: outline fonts rendered by FreeType."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from training.synth.fonts import FontError, FontFace, default_library, sized
from training.synth.pens.ink import MARGIN, Ink, trim

# Glyphs are rendered at one of these capital heights and scaled by the affine warp that slants and
# stretches them: the glyph cache serves few sizes, and the warp removes hinting, which photos of
# print do not show.
_DRAWN_HEIGHTS = (24, 48, 96, 192)


@dataclass(frozen=True, slots=True)
class OutlineStyle:
    """Deviations of a line from the plain font.

    Attributes:
        gap: Additional letter spacing as a share of the capital height; without kerning unless 0.
        x_scale: Horizontal scale.
        slant: Shear dx/dy; positive leans right.
        weight: Change of the stroke width as a share of the capital height.
        jitter: Standard deviation of the characters' vertical offsets, as a share of the capital
            height.
        gap_jitter: Standard deviation of the letter spacing, as a share of the capital height.
        word_gap: Width of a space as a share of the font's space.
    """

    gap: float = 0.0
    x_scale: float = 1.0
    slant: float = 0.0
    weight: float = 0.0
    jitter: float = 0.0
    gap_jitter: float = 0.0
    word_gap: float = 1.0

    @classmethod
    def sample(
        cls, rng: np.random.Generator, x_scale: tuple[float, float] | None = None
    ) -> OutlineStyle:
        """Return a random style: plain type is frequent, and deviations are independent.

        Args:
            rng: Random generator.
            x_scale: Least and greatest horizontal scale; None for scales near 1.
        """
        u = rng.random(7)
        gap = 0.0
        if u[0] < 0.55:
            gap = float(rng.uniform(-0.06, 0.12)) if u[0] < 0.38 else float(rng.uniform(0.1, 0.6))
        if x_scale is not None:
            scale = float(np.exp(rng.uniform(*np.log(x_scale))))
        else:
            scale = float(np.exp(rng.normal(0, 0.16)).clip(0.6, 1.5)) if u[1] < 0.6 else 1.0
        return cls(
            gap=gap,
            x_scale=scale,
            slant=float(np.clip(rng.normal(0.0, 0.14), -0.3, 0.4)) if u[2] < 0.22 else 0.0,
            weight=float(rng.uniform(-0.035, 0.06)) if u[3] < 0.45 else 0.0,
            jitter=float(rng.uniform(0.005, 0.05)) if u[4] < 0.12 else 0.0,
            gap_jitter=float(rng.uniform(0.005, 0.04)) if u[5] < 0.15 else 0.0,
            word_gap=float(rng.uniform(0.7, 2.6)) if u[6] < 0.35 else 1.0,
        )


@dataclass(frozen=True, slots=True)
class _Glyph:
    mask: NDArray[np.uint8] | None
    left: int
    top: int
    advance: float


@dataclass(frozen=True, slots=True)
class _Metrics:
    size: int
    capital: float
    middle: float


def draw(
    text: str,
    height_px: float,
    rng: np.random.Generator,
    *,
    face: FontFace | None = None,
    style: OutlineStyle | None = None,
    margin: int = MARGIN,
) -> Ink:
    """Draw a line with an outline font.

    Args:
        text: Characters of the face and spaces, with at least one visible character.
        height_px: Height of the capital H; ascenders and descenders extend beyond.
        rng: Random generator of face and style.
        face: Font face; None for a random face of the system with all characters.
        style: Deviations from plain type; None for a random style.
        margin: Pixels around the line's box.

    Returns:
        The line, anti-aliased.

    Raises:
        ValueError: `height_px` is below 4, or `text` has no visible character.
        FontError: `face`, or every font of the system, lacks a character of `text`.
    """
    if height_px < 4:
        raise ValueError(f"height_px is {height_px}: letters need at least 4 pixels")
    if not text.strip():
        raise ValueError(f"no visible character in {text!r}")
    if face is None:
        face = default_library().sample(rng, text=text)
    elif not face.covers(text):
        lacking = sorted({c for c in text if not face.covers(c)})
        raise FontError(
            f"{face.path.name} cannot draw {' '.join(lacking)} of {text!r}: "
            "sample a face with this text"
        )
    if style is None:
        style = OutlineStyle.sample(rng)
    target = next((h for h in _DRAWN_HEIGHTS if h >= height_px), _DRAWN_HEIGHTS[-1])
    metrics = _metrics(face.path, face.index, target)
    canvas, spans, baseline = _typeset(text, face, metrics, style, rng)
    if style.weight:
        canvas = _reweigh(canvas, style.weight * metrics.capital)

    scale = height_px / metrics.capital
    x_scale = scale * style.x_scale
    shear = style.slant * scale
    # a shear about the middle of the capitals keeps boxes centered on their characters
    center = baseline - metrics.capital / 2
    rise, fall = center * style.slant * scale, (canvas.shape[0] - center) * style.slant * scale
    left = max(-rise, fall, 0.0) + 1
    right = max(rise, -fall, 0.0) + 1
    width = int(np.ceil(canvas.shape[1] * x_scale + left + right))
    height = int(np.ceil(canvas.shape[0] * scale))
    affine = np.array([[x_scale, -shear, shear * center + left], [0.0, scale, 0.0]], np.float64)
    warped = cv2.warpAffine(canvas, affine, (width, height), flags=cv2.INTER_LINEAR)
    band = ((baseline - metrics.middle) * scale, baseline * scale)
    return trim(warped, spans * np.float32(x_scale) + np.float32(left), text, band, margin=margin)


def _typeset(
    text: str,
    face: FontFace,
    metrics: _Metrics,
    style: OutlineStyle,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], int]:
    """Return canvas, spans (n, 2) and y of the baseline of the typeset glyphs."""
    capital = metrics.capital
    glyphs = [_glyph(face.path, face.index, metrics.size, c) for c in text]
    n = len(text)
    gaps = np.full(n, style.gap * capital)
    if style.gap_jitter:
        gaps += rng.normal(0, style.gap_jitter * capital, n)
    elif not style.gap:
        gaps[:-1] += [
            _kerning(face.path, face.index, metrics.size, a + b) for a, b in pairwise(text)
        ]
    lifts = (
        np.rint(rng.normal(0, style.jitter * capital, n)).astype(int).tolist()
        if style.jitter
        else [0] * n
    )
    advances = np.array(
        [
            g.advance * (style.word_gap if c == " " else 1.0)
            for g, c in zip(glyphs, text, strict=True)
        ]
    )
    # a negative gap must not cover a narrow character
    steps = np.maximum(advances + gaps, 0.45 * advances)
    pad = int(capital)
    starts = np.concatenate(([0.0], np.cumsum(steps)[:-1])) + pad
    spans = np.stack([starts, starts + np.minimum(advances, steps)], axis=1).astype(np.float32)
    baseline = int(capital * 1.8)
    canvas = np.zeros((int(capital * 2.7), int(starts[-1] + advances[-1]) + pad), np.uint8)
    rows, columns = canvas.shape
    for glyph, start, lift in zip(glyphs, starts.tolist(), lifts, strict=True):
        if glyph.mask is None:
            continue
        h, w = glyph.mask.shape
        x, y = round(start) + glyph.left, baseline + glyph.top + lift
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, columns), min(y + h, rows)
        if x1 <= x0 or y1 <= y0:
            continue
        part = canvas[y0:y1, x0:x1]
        np.maximum(part, glyph.mask[y0 - y : y1 - y, x0 - x : x1 - x], out=part)
    return canvas, spans, baseline


def _reweigh(canvas: NDArray[np.uint8], change: float) -> NDArray[np.uint8]:
    """Return strokes that are `change` pixels thicker or thinner; thin strokes never vanish."""
    size = abs(change)
    if size < 0.25:
        return canvas
    whole = int(size)
    out = canvas
    operation = cv2.dilate if change > 0 else cv2.erode
    if whole:
        out = operation(out, _disc(whole + 1))
    part = size - whole
    if part > 0.05:
        more = operation(out, _disc(2))
        out = cv2.addWeighted(out, 1 - part, more, part, 0)
    if change < 0 and int(out.sum(dtype=np.int64)) < 0.45 * int(canvas.sum(dtype=np.int64)):
        return canvas
    return out


@lru_cache(maxsize=16)
def _disc(size: int) -> NDArray[np.uint8]:
    if size <= 2:
        return np.ones((size, size), np.uint8)
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


@lru_cache(maxsize=4096)
def _metrics(path: Path, index: int, target: int) -> _Metrics:
    """Return the size per em at a height of the capital H of `target` pixels, and the x-height."""
    probe = 64
    font = sized(path, index, probe)
    size = max(round(probe * target / _extent(font, "H")), 4)
    font = sized(path, index, size)
    capital = _extent(font, "H")
    # faces of capitals may have an unusual x, or none
    middle = _extent(font, "x") or capital
    return _Metrics(size, capital, float(np.clip(middle, 0.4 * capital, 0.8 * capital)))


def _extent(font: ImageFont.FreeTypeFont, char: str) -> float:
    """Return the height of a character above the baseline in pixels."""
    return float(-font.getbbox(char, anchor="ls")[1])


@lru_cache(maxsize=6000)
def _glyph(path: Path, index: int, size: int, char: str) -> _Glyph:
    font = sized(path, index, size)
    core, offset = font.getmask2(char, mode="L", anchor="ls")
    advance = font.getlength(char)
    width, height = core.size
    if not width or not height:
        return _Glyph(None, 0, 0, advance)
    mask = np.frombuffer(bytes(core), np.uint8).reshape(height, width)
    return _Glyph(mask, int(offset[0]), int(offset[1]), advance)


@lru_cache(maxsize=20000)
def _kerning(path: Path, index: int, size: int, pair: str) -> float:
    font = sized(path, index, size)
    return float(font.getlength(pair) - font.getlength(pair[0]) - font.getlength(pair[1]))
