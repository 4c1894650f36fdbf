"""The pen of meters and displays: seven- and fourteen-segment digits and letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth.pens.ink import MARGIN, Ink, trim

# Clockwise from the top: a top, b and c right, d bottom, e and f left; g and h are the left and
# right half of the middle bar (seven segments light both); from the center i up left, j up, k up
# right, l down left, m down, n down right.
_SEVEN = {
    "0": "abcdef", "1": "bc", "2": "abdegh", "3": "abcdgh", "4": "bcfgh", "5": "acdfgh",
    "6": "acdefgh", "7": "abc", "8": "abcdefgh", "9": "abcdfgh", "-": "gh", "_": "d", "=": "dgh",
    "A": "abcefgh", "b": "cdefgh", "C": "adef", "c": "degh", "d": "bcdegh", "E": "adefgh",
    "F": "aefgh", "G": "acdef", "H": "bcefgh", "h": "cefgh", "J": "bcde", "L": "def",
    "n": "cegh", "o": "cdegh", "P": "abefgh", "r": "egh", "t": "defgh", "U": "bcdef", "u": "cde",
    "y": "bcdfgh",
}  # fmt: skip
_FOURTEEN = {
    "0": "abcdefkl", "1": "bc", "2": "abdegh", "3": "abcdgh", "4": "bcfgh", "5": "acdfgh",
    "6": "acdefgh", "7": "abc", "8": "abcdefgh", "9": "abcdfgh", "-": "gh", "_": "d", "=": "dgh",
    "A": "abcefgh", "B": "abcdhjm", "C": "adef", "D": "abcdjm", "E": "adefgh", "F": "aefg",
    "G": "acdefh", "H": "bcefgh", "I": "adjm", "J": "bcde", "K": "efgkn", "L": "def",
    "M": "bcefik", "N": "bcefin", "O": "abcdef", "P": "abefgh", "Q": "abcdefn", "R": "abefghn",
    "S": "acdhi", "T": "ajm", "U": "bcdef", "V": "efkl", "W": "bcefln", "X": "ikln", "Y": "ikm",
    "Z": "adkl", "+": "ghjm", "*": "ghijklmn", "/": "kl", "\\": "in", "<": "kn", ">": "il",
    "$": "acdfghjm", "|": "jm", "?": "abhm",
}  # fmt: skip
_SEVEN_VARIANTS = {"6": "cdefgh", "9": "abcfgh", "7": "abcf"}
_FOURTEEN_VARIANTS = {"1": "bck", "7": "akm", "3": "abcdh"}
# These share the previous cell or have a narrow cell of their own.
_DOTS = ".,:'"
_SHIFT = 4
_ONE = 1 << _SHIFT
# Least height of a drawn display; area averaging reduces it afterwards, because OpenCV's own
# anti-aliasing enlarges every shape by more than half a pixel on each side.
_LEAST_HEIGHT = 160.0

_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
_TURN = np.linspace(0, 2 * np.pi, 12, endpoint=False)
_DISC = np.stack([0.5 + 0.5 * np.cos(_TURN), 0.5 + 0.5 * np.sin(_TURN)], 1)

_Polygons = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class SegmentStyle:
    """Style of a display. Lengths are shares of the digits' height.

    Attributes:
        segments: Number of segments, 7 or 14.
        ends: Form of the segments' ends: "point", "miter" or "square".
        width: Width of a digit.
        thickness: Width of a segment.
        split: Distance of two segments.
        gap: Distance of two digits.
        slant: Shear; positive leans right.
        dot: Size of a point, at least the width of a segment.
        round_dots: Whether points are discs, otherwise squares.
        small_decimals: Size of the digits after the last point; 1 for equal sizes.
        tails: Whether 6 and 9 have their tail and 7 has no hook.
        ghost: Whether unlit segments are visible.
    """

    segments: int = 7
    ends: str = "point"
    width: float = 0.56
    thickness: float = 0.12
    split: float = 0.015
    gap: float = 0.2
    slant: float = 0.1
    dot: float = 0.12
    round_dots: bool = False
    small_decimals: float = 1.0
    tails: bool = True
    ghost: bool = False

    @classmethod
    def sample(cls, rng: np.random.Generator, segments: int = 7) -> SegmentStyle:
        """Return a random style of a display with 7 or 14 segments."""
        thickness = rng.uniform(0.05, 0.2) if rng.random() < 0.75 else rng.uniform(0.05, 0.1)
        if segments == 14:
            # thicker segments would cover the diagonals
            thickness = min(thickness, 0.1)
        return cls(
            segments=segments,
            ends=("point", "miter", "square")[int(rng.choice(3, p=(0.4, 0.42, 0.18)))],
            width=_mostly(rng, 0.42, 0.72, 1.1) + (0.08 if segments == 14 else 0.0),
            thickness=float(thickness),
            split=float(rng.uniform(0.0, 0.035)),
            gap=_mostly(rng, 0.1, 0.42, 0.7),
            slant=float(rng.uniform(0.0, 0.25)) if rng.random() < 0.75 else 0.0,
            dot=float(max(thickness * rng.uniform(1.0, 1.5), rng.uniform(0.08, 0.13))),
            round_dots=bool(rng.random() < 0.5),
            small_decimals=float(rng.uniform(0.38, 0.8)) if rng.random() < 0.4 else 1.0,
            tails=bool(rng.random() < 0.85),
            ghost=bool(rng.random() < 0.35),
        )


def _mostly(rng: np.random.Generator, least: float, usual: float, most: float) -> float:
    """Return a random number up to `usual`, in three of ten cases from `usual` to `most`."""
    return float(rng.uniform(usual, most) if rng.random() < 0.3 else rng.uniform(least, usual))


def supports(text: str, segments: int = 7) -> bool:
    """Tell whether a display of 7 or 14 segments supports every character of `text`."""
    table = _SEVEN if segments == 7 else _FOURTEEN
    return all(c in table or c in _DOTS or c == " " for c in text)


def draw(
    text: str,
    height_px: float,
    rng: np.random.Generator,
    *,
    style: SegmentStyle | None = None,
    margin: int = MARGIN,
) -> Ink:
    """Draw the reading of a display.

    Args:
        text: Characters that the display supports; points and commas share the cell before them.
        height_px: Height of a digit.
        rng: Random generator of the style.
        style: Style of the display; None for a random style, with fourteen segments if seven do not
            suffice, and sometimes otherwise.
        margin: Pixels around the line's box.

    Returns:
        The line, anti-aliased, with its unlit segments as `ghost` if the style has them.

    Raises:
        ValueError: The display does not support a character, no character is visible, or
            `height_px` is below 4.
    """
    if height_px < 4:
        raise ValueError(f"height_px is {height_px}: digits need at least 4 pixels")
    if not text.strip():
        raise ValueError(f"no visible character in {text!r}")
    if style is None:
        seven = supports(text, 7) and rng.random() < 0.88
        style = SegmentStyle.sample(rng, 7 if seven or not supports(text, 14) else 14)
    if not supports(text, style.segments):
        table = _SEVEN if style.segments == 7 else _FOURTEEN
        odd = sorted({c for c in text if c not in table and c not in _DOTS and c != " "})
        raise ValueError(
            f"{style.segments} segments cannot show {' '.join(odd)} of {text!r}: "
            "ask supports() first or use another pen"
        )
    zoom = max(2, int(np.ceil(_LEAST_HEIGHT / height_px)))
    unit = height_px * zoom
    lit, unlit, spans, width = _place(text, style)
    pad = int(np.ceil(unit * (0.3 + abs(style.slant))))
    # multiples of the zoom, for which area averaging is fastest
    shape = (
        -(-int(unit + 2 * pad + 1) // zoom) * zoom,
        -(-int(width * unit + 2 * pad + 1) // zoom) * zoom,
    )
    mask = _fill(lit, shape, unit, pad)
    ghost = _fill(unlit, shape, unit, pad) if style.ghost else None
    spans_px = (spans * unit + pad) / zoom
    band = ((pad + 0.3 * unit) / zoom, (pad + unit) / zoom)
    size = (shape[1] // zoom, shape[0] // zoom)
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    if ghost is not None:
        ghost = cv2.resize(ghost, size, interpolation=cv2.INTER_AREA)
    return trim(mask, spans_px.astype(np.float32), text, band, margin=margin, ghost=ghost)


def _lit(char: str, text: str, style: SegmentStyle) -> str:
    """Return the lit segments of a character."""
    if style.segments == 7:
        table = _SEVEN if style.tails else {**_SEVEN, **_SEVEN_VARIANTS}
        return table[char]
    table = _FOURTEEN if style.tails else {**_FOURTEEN, **_FOURTEEN_VARIANTS}
    # the stroke of the zero and the diagonal of the S distinguish them from O and 5
    if char == "0" and "O" not in text:
        return "abcdef"
    if char == "S" and not any(c.isdigit() for c in text):
        return "acdfgh"
    return table[char]


def _place(
    text: str, style: SegmentStyle
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]], NDArray[np.float64], float]:
    """Return polygons of lit and unlit segments, spans (n, 2) and width, in digit heights."""
    shapes = _segments(style)
    lit: list[NDArray[np.float64]] = []
    unlit: list[NDArray[np.float64]] = []
    spans = np.empty((len(text), 2))
    dot, size, x = style.dot, 1.0, 0.0
    cell_end = 0.0
    point = text.rfind(".")
    for i, char in enumerate(text):
        if char in _DOTS:
            shared = char in ".," and i > 0 and text[i - 1] not in _DOTS and text[i - 1] != " "
            if shared:
                # the dot is in the gap between two digits, which is enlarged if it is small
                start = cell_end + 0.2 * dot
                x = max(x, start + 1.25 * dot)
            else:
                start = x
                x += 1.3 * dot + style.gap
            spans[i] = start, start + dot
            lit.extend(_lean(np.add(p, (start, 0.0)), style.slant) for p in _dots(char, style))
            continue
        if i > point >= 0 and char.isdigit():
            size = style.small_decimals
        names = "" if char == " " else _lit(char, text, style)
        for name, polygon in shapes.items():
            # smaller digits are on the same baseline
            placed = polygon * size + (x, 1.0 - size)
            if name in names:
                lit.append(_lean(placed, style.slant))
            elif style.ghost:
                unlit.append(_lean(placed, style.slant))
        spans[i] = x, x + style.width * size
        cell_end = spans[i, 1]
        x = cell_end + style.gap * size
    return lit, unlit, spans, float(max(x, spans.max()))


def _lean(polygon: NDArray[np.float64], slant: float) -> NDArray[np.float64]:
    if slant:
        polygon[:, 0] += slant * (0.5 - polygon[:, 1])
    return polygon


def _dots(char: str, style: SegmentStyle) -> list[NDArray[np.float64]]:
    dot = style.dot
    point = _DISC * dot if style.round_dots else _SQUARE * dot
    if char == ":":
        return [np.add(point, (0, y - dot / 2)) for y in (0.3, 0.7)]
    if char == "'":
        return [_SQUARE * dot * (0.8, 1.6)]
    point = np.add(point, (0.0, 1 - dot))
    if char == ",":
        return [point, np.array([[dot, 1.0], [0.5 * dot, 1.0], [0.1 * dot, 1 + 0.9 * dot]])]
    return [point]


def _segments(style: SegmentStyle) -> _Polygons:
    """Return the polygons of a cell of height 1, by name of the segment."""
    w, t, s = style.width, style.thickness, style.split
    h = t / 2
    left, right, top, middle, bottom = h, w - h, h, 0.5, 1 - h
    nodes = {
        "a": ((left, top), (right, top)), "b": ((right, top), (right, middle)),
        "c": ((right, middle), (right, bottom)), "d": ((left, bottom), (right, bottom)),
        "e": ((left, middle), (left, bottom)), "f": ((left, top), (left, middle)),
    }  # fmt: skip
    if style.segments == 7:
        # one bar with both names
        nodes["g"] = ((left, middle), (right, middle))
    else:
        nodes["g"] = ((left, middle), (w / 2, middle))
        nodes["h"] = ((w / 2, middle), (right, middle))
        nodes["j"] = ((w / 2, top), (w / 2, middle))
        nodes["m"] = ((w / 2, middle), (w / 2, bottom))
    out = {name: _bar(a, b, h, s, style.ends) for name, (a, b) in nodes.items()}
    if style.ends == "miter":
        out.update(_mitered(w, t, s))
    if style.segments == 14:
        near = (w / 2 - h - s, 0.5 - h - s)
        corner = (t + s, t + s)
        diagonal = np.array(
            [corner, (corner[0] + 0.8 * t, corner[1]), near, (near[0] - 0.8 * t, near[1])]
        )
        out["i"] = diagonal
        out["k"] = diagonal * (-1, 1) + (w, 0)
        out["l"] = diagonal * (1, -1) + (0, 1)
        out["n"] = diagonal * (-1, -1) + (w, 1)
    return out


def _bar(
    start: tuple[float, float], end: tuple[float, float], half: float, split: float, ends: str
) -> NDArray[np.float64]:
    """Return a horizontal or vertical bar between two nodes, with tips at a distance of `split`."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / np.linalg.norm(b - a)
    across = np.array([-along[1], along[0]]) * half
    tip, shoulder = along * split, along * (half + split)
    if ends == "square":
        return np.array([a + shoulder + across, b - shoulder + across, b - shoulder - across,
                         a + shoulder - across])  # fmt: skip
    return np.array([a + tip, a + shoulder + across, b - shoulder + across, b - tip,
                     b - shoulder - across, a + shoulder - across])  # fmt: skip


def _mitered(w: float, t: float, s: float) -> _Polygons:
    """Return outer segments with mitered corners, as in liquid-crystal displays."""
    h = t / 2
    top = np.array([(s, 0), (w - s, 0), (w - s - t, t), (s + t, t)])
    left = np.array([(0, s), (t, t + s), (t, 0.5 - h - s), (h, 0.5 - s), (0, 0.5 - s)])
    return {
        "a": top, "d": top * (1, -1) + (0, 1), "f": left, "e": left * (1, -1) + (0, 1),
        "b": left * (-1, 1) + (w, 0), "c": left * (-1, -1) + (w, 1),
    }  # fmt: skip


def _fill(
    polygons: list[NDArray[np.float64]], shape: tuple[int, int], unit: float, pad: int
) -> NDArray[np.uint8]:
    canvas = np.zeros(shape, np.uint8)
    for polygon in polygons:
        # pixel centers are at +0.5 here, at integers in OpenCV
        points = np.rint((polygon * unit + pad - 0.5) * _ONE).astype(np.int32)
        cv2.fillConvexPoly(canvas, points, 255, cv2.LINE_8, _SHIFT)
    return canvas
