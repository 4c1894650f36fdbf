"""Dot-matrix glyphs: a 5x7 face of printable ASCII, and larger faces derived from it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

# Five columns for each glyph, two hexadecimal digits each; the lowest bit is at the top.
_FACE_5X7 = """
! 00005F0000  " 0007000700  # 147F147F14  $ 242A7F2A12  % 2313086462  & 3649552250  ' 0000070000
( 001C224100  ) 0041221C00  * 082A1C2A08  + 08083E0808  , 0040300000  - 0808080808  . 0060600000
/ 2010080402  0 3E5149453E  1 00427F4000  2 4261514946  3 2141454B31  4 1814127F10  5 2745454539
6 3C4A494930  7 0171090503  8 3649494936  9 064949291E  : 0036360000  ; 0040360000  < 0814224100
= 1414141414  > 0041221408  ? 0201510906  @ 324979413E  A 7E1111117E  B 7F49494936  C 3E41414122
D 7F4141221C  E 7F49494941  F 7F09090901  G 3E41495132  H 7F0808087F  I 00417F4100  J 2040413F01
K 7F08142241  L 7F40404040  M 7F020C027F  N 7F0408107F  O 3E4141413E  P 7F09090906  Q 3E4151215E
R 7F09192946  S 4649494931  T 01017F0101  U 3F4040403F  V 1F2040201F  W 3F4038403F  X 6314081463
Y 0304780403  Z 6151494543  [ 007F414100  \\ 0204081020  ] 0041417F00  ^ 0402010204  _ 4040404040
` 0001020400  a 2054545478  b 7F48444438  c 3844444420  d 384444487F  e 3854545418  f 00087E0902
g 0C5252523E  h 7F08040478  i 00447D4000  j 2040443D00  k 007F102844  l 00417F4000  m 7C04180478
n 7C08040478  o 3844444438  p 7C14141408  q 081414187C  r 7C08040408  s 4854545420  t 00043F4420
u 3C4040207C  v 1C2040201C  w 3C4030403C  x 4428102844  y 0C5050503C  z 4464544C44  { 0008364100
| 00007F0000  } 0041360800  ~ 0804081008
"""
# Other shapes in use; a line has one shape for all occurrences of a character.
_VARIANTS = {
    "1": ("04027F0000", "00027F0000", "44427F4040"),
    "2": ("6251494946", "7149494946"),
    "3": ("2241494936", "4149494936", "4141494D33"),
    "4": ("0F0808087F", "0C0A097F08"),
    "6": ("3E49494932", "7E49494979"),
    "7": ("0161110907", "0101710907", "010101017F"),
    "9": ("264949493E", "4F4949493F"),
    "A": ("7C1211127C", "7F0909097F"),
    "D": ("7F4141413E",),
    "G": ("3E4149497A", "3E41415171"),
    "J": ("304040403F",),
    "K": ("7F08083641",),
    "M": ("7F0204027F", "7F0201027F"),
    "N": ("7F0608307F", "7F0204087F"),
    "Q": ("3E4151617E",),
    "S": ("2649494932", "4F49494979"),
    "U": ("7F4040407F",),
    "V": ("0718601807",),
    "W": ("7F2018207F", "7F2010207F"),
    "X": ("4136083641",),
    "Y": ("0708700807",),
    ",": ("0040200000",),
    ".": ("0000400000",),
    ":": ("0000140000", "0000220000"),
    "/": ("6010080403", "4020100804"),
    "-": ("0008080800",),
    "I": ("41417F4141",),
    "f": ("087E090102",),
    "t": ("043F444020",),
}  # fmt: skip
PLAIN_ZEROS = ("3E4141413E", "1C2241221C", "003E413E00", "7F4141417F")
"""Zeros without a stroke, which only their neighbors distinguish from an O."""

# Rows of five, from the top; coders with five drops print capitals and digits only.
_FACE_5X5 = """
A 01110 10001 11111 10001 10001  B 11110 10001 11110 10001 11110  C 01111 10000 10000 10000 01111
D 11110 10001 10001 10001 11110  E 11111 10000 11110 10000 11111  F 11111 10000 11110 10000 10000
G 01111 10000 10011 10001 01111  H 10001 10001 11111 10001 10001  I 01110 00100 00100 00100 01110
J 00111 00001 00001 10001 01110  K 10001 10010 11100 10010 10001  L 10000 10000 10000 10000 11111
M 10001 11011 10101 10001 10001  N 10001 11001 10101 10011 10001  O 01110 10001 10001 10001 01110
P 11110 10001 11110 10000 10000  Q 01110 10001 10101 10010 01101  R 11110 10001 11110 10010 10001
S 01111 10000 01110 00001 11110  T 11111 00100 00100 00100 00100  U 10001 10001 10001 10001 01110
V 10001 10001 10001 01010 00100  W 10001 10001 10101 11011 10001  X 10001 01010 00100 01010 10001
Y 10001 01010 00100 00100 00100  Z 11111 00010 00100 01000 11111  0 01110 10011 10101 11001 01110
1 00100 01100 00100 00100 01110  2 11110 00001 01110 10000 11111  3 11110 00001 00110 00001 11110
4 10010 10010 11111 00010 00010  5 11111 10000 11110 00001 11110  6 01110 10000 11110 10001 01110
7 11111 00010 00100 01000 01000  8 01110 10001 01110 10001 01110  9 01110 10001 01111 00001 01110
. 00000 00000 00000 00000 00100  : 00000 00100 00000 00100 00000  - 00000 00000 01110 00000 00000
/ 00001 00010 00100 01000 10000  + 00000 00100 01110 00100 00000  , 00000 00000 00000 00100 01000
"""
CHARS_5X5 = frozenset(_FACE_5X5.split()[::6])

_Bits = NDArray[np.uint8]


def _columns(code: str) -> _Bits:
    data = np.frombuffer(bytes.fromhex(code), np.uint8)
    return (data[None, :] >> np.arange(7)[:, None] & 1).astype(np.uint8)


_BASE = dict(zip(*[iter(_FACE_5X7.split())] * 2, strict=True))


@lru_cache(maxsize=4096)
def glyph(char: str, columns: int = 5, rows: int = 7, shape: str = "") -> _Bits:
    """Return the dots of a character.

    Faces other than 5x7 and 5x5 are derived from the strokes of the 5x7 face, stretched and drawn
    one dot wide (two dots from 14 rows), like the larger faces of ink-jet coders.

    Args:
        char: A printable ASCII character.
        columns: Width of the face in dots, at least 5.
        rows: Height of the face in dots; 5 for the 5x5 face, otherwise at least 7.
        shape: A 5x7 shape instead of the plain one, see `variants`.

    Returns:
        uint8 (rows, columns), 1 for a dot.

    Raises:
        KeyError: The face does not have the character.
    """
    if rows == 5:
        entries = _FACE_5X5.split()
        at = entries[::6].index(char) * 6 if char in CHARS_5X5 else -1
        if at < 0:
            raise KeyError(f"the 5x5 face has no {char!r}: it holds capitals and digits")
        return np.array([[int(bit) for bit in row] for row in entries[at + 1 : at + 6]], np.uint8)
    bits = _columns(shape or _BASE[char])
    if (columns, rows) == (5, 7):
        return bits
    out = np.zeros((rows, columns), np.uint8)
    thick = 2 if rows >= 14 else 1
    stretch = np.array([(columns - thick) / 4, (rows - thick) / 6])
    for start, end in strokes(bits):
        (ax, ay), (bx, by) = _onto(start, stretch), _onto(end, stretch)
        for dx in range(thick):
            for dy in range(thick):
                cv2.line(out, (ax + dx, ay + dy), (bx + dx, by + dy), 1)
    # four dots in a square are a filled square, not a ring
    full = bits[:-1, :-1] & bits[1:, :-1] & bits[:-1, 1:] & bits[1:, 1:]
    for y, x in zip(*np.nonzero(full), strict=True):
        (ax, ay), (bx, by) = _onto((x, y), stretch), _onto((x + 1, y + 1), stretch)
        out[ay : by + thick, ax : bx + thick] = 1
    return out


def _onto(point: tuple[int, int], stretch: NDArray[np.float64]) -> tuple[int, int]:
    x, y = np.floor(np.array(point) * stretch + 0.5).astype(int).tolist()
    return x, y


def variants(char: str) -> tuple[str, ...]:
    """Return the shapes of a character for `glyph`, the plain shape (empty) first."""
    return ("", *_VARIANTS.get(char, ()))


def strokes(bits: _Bits) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return lines (x, y) to (x, y) between neighboring dots; an isolated dot is a line to itself.

    Diagonal neighbors are connected only if no common neighbor connects them.
    """
    rows, columns = bits.shape
    lines = []
    joined = np.zeros_like(bits)
    for y, x in zip(*np.nonzero(bits), strict=True):
        for dx, dy in ((1, 0), (0, 1), (1, 1), (-1, 1)):
            u, v = x + dx, y + dy
            if not (0 <= u < columns and v < rows and bits[v, u]):
                continue
            if dx and dy and (bits[y, u] or bits[v, x]):
                continue
            lines.append(((int(x), int(y)), (int(u), int(v))))
            joined[y, x] = joined[v, u] = 1
    lines.extend(
        ((int(x), int(y)), (int(x), int(y)))
        for y, x in zip(*np.nonzero(bits & ~joined & 1), strict=True)
    )
    return lines
