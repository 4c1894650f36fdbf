"""The fonts of a machine that support the charset, by kind.

Fonts are TrueType or OpenType files in any folder. `debian-packages.txt` beside this file lists the
Debian packages of the generator's fonts, `npm-packages.txt` many more families. A folder with the
name of a kind (`display`, `serif`) determines the kind of all faces below; otherwise their names
do.
"""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

SYSTEM_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("~/.fonts").expanduser(),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
    Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",
)
KINDS = ("sans", "serif", "mono", "condensed", "display", "ocr", "plate", "pixel")
"""The kinds of faces; each face has exactly one. `FontFace.bold` and `.italic` are not kinds."""

_WEIGHTS = (0.34, 0.11, 0.19, 0.11, 0.06, 0.05, 0.08, 0.06)
_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}
_PRINTABLE = "".join(map(chr, range(33, 127)))
_CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _CAPITALS.lower()[10:]
_PROBE_PX = 28
_CELL = 16
# Least median correlation with a plain sans; bold italic script faces have 0.31.
_LEAST_LIKENESS = 0.3

# Faces whose glyphs at Latin code points are not plain Latin letters; Ubuntu Title has lower-case
# glyphs for capitals.
_UNFIT = (
    "symbol", "dingbat", "emoji", "d050000l", "icons", "math", "dseg", "braille", "keyboard",
    "ornament", "initials", "music", "barcode", "greek", "smallcaps", "stixsize", "nonunicode",
    "stixint", "stixvar", "variants", "outline", "ubuntu-title", "ubuntu title",
)  # fmt: skip
# A face has the first kind with a word in its name, otherwise it is a sans.
_KIND_WORDS = {
    "ocr": "ocr",
    "pixel": (
        "px |px_|px437|c-64|atari|topaz|amiga|3270|glass tty|glasstty|sixtyfour|fixed|terminus|vga"
    ),
    "plate": (
        "din |opendin|osifont|roadgeek|national park|routed gothic|overpass|interstate|plate|bebas"
        "|universalis"
    ),
    "condensed": "condensed|narrow|kaffeesatz|oswald|gothic no|compressed|league gothic",
    "mono": "mono|code|courier|typewriter|typoscript|inconsolata|hack|hermit|agave|cousine|typist",
    "display": (
        "script|lobster|leckerli|kaushan|hand|rufscript|humor|cherry|chancery|z003|dustismo roman"
        "|domestic|balker|flatline|winks|mekanus|essays|okolaks|euro|monofur|averia|comic|levity"
        "|progenisis|swift|wargames|it wasn|junkyard|abogado|penguin|dancing|beteckna"
    ),
    "serif": (
        "serif|roman|times|garamond|bookman|schola|p052|c059|libertine|vollkorn|slab|stix|caladea"
        "|standard|prociono|quattrocento|bonum|pagella|termes|junicode|lucida bright"
    ),
}

_log = logging.getLogger(__name__)


class FontError(RuntimeError):
    """There is no usable font."""


@dataclass(frozen=True, slots=True)
class FontFace:
    """One usable face of a font file.

    Attributes:
        path: The font file.
        index: Number of the face in a collection, otherwise 0.
        family: Name of the family in the file.
        kind: One of `KINDS`.
        bold: Whether the face is semi-bold or heavier.
        italic: Whether the face is slanted.
        chars: Characters with a visible glyph of their own, of printable ASCII and of the further
            characters that the library was asked for; without lower case for a face of capitals.
    """

    path: Path
    index: int = 0
    family: str = ""
    kind: str = "sans"
    bold: bool = False
    italic: bool = False
    chars: frozenset[str] = frozenset(_PRINTABLE)

    def covers(self, text: str) -> bool:
        """Tell whether the face has every character of `text` except spaces."""
        return all(c in self.chars or c == " " for c in text)


class FontLibrary:
    """The usable faces of some folders.

    Args:
        folders: Folders, searched recursively; None for the system's folders.
        more: Characters besides printable ASCII that faces may draw.

    Raises:
        FontError: A folder is missing, or no font has digits and capitals.
    """

    def __init__(self, folders: Sequence[Path | str] | None = None, more: str = "") -> None:
        """Search the folders; takes some seconds for hundreds of fonts."""
        if folders is None:
            places = [folder for folder in SYSTEM_FOLDERS if folder.is_dir()]
        else:
            places = [Path(folder) for folder in folders]
            for folder in places:
                if not folder.is_dir():
                    raise FontError(f"font folder {folder} is missing: name a folder with fonts")
        files = sorted(
            {
                path
                for folder in places
                for path in folder.rglob("*")
                if path.suffix.lower() in _SUFFIXES and path.is_file()
            }
        )
        self.faces: tuple[FontFace, ...] = _distinct(
            face for path in files for face in _faces_of(path, more)
        )
        if not self.faces:
            raise FontError(
                f"no usable font in {', '.join(map(str, places)) or 'any system folder'} "
                f"({len(files)} font files found): install fonts, for instance the Debian "
                "package fonts-liberation, or name a folder of .ttf or .otf files that hold "
                "the printable ASCII characters"
            )
        self._families: dict[str, tuple[tuple[FontFace, ...], ...]] = {}
        for kind in KINDS:
            families: dict[str, list[FontFace]] = {}
            for face in self.faces:
                if face.kind == kind:
                    families.setdefault(face.family, []).append(face)
            if families:
                self._families[kind] = tuple(tuple(f) for f in families.values())
        weights = np.array([_WEIGHTS[KINDS.index(kind)] for kind in self._families])
        self._kinds = tuple(self._families)
        self._cumulative = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.faces)

    def drawable(self, texts: Sequence[str]) -> list[str]:
        """Return the first texts, as many as one face can draw together."""
        kept: list[str] = []
        for text in texts:
            if not any(face.covers("".join([*kept, text])) for face in self.faces):
                break
            kept.append(text)
        return kept

    def sample(self, rng: np.random.Generator, kind: str | None = None, text: str = "") -> FontFace:
        """Draw a kind, then a family, then a face, so that all families are equally frequent.

        Args:
            rng: Random generator.
            kind: One of `KINDS`; None for a random kind by fixed weights. A kind without faces is
                replaced by a random kind.
            text: Characters that the face must have.

        Raises:
            ValueError: The kind is unknown.
            FontError: No face has all characters of `text`.
        """
        if kind is not None and kind not in KINDS:
            raise ValueError(f"unknown font kind {kind!r}: use one of {', '.join(KINDS)}")
        for _ in range(24):
            picked = kind
            if picked not in self._families:
                picked = self._kinds[int(np.searchsorted(self._cumulative, rng.random()))]
            families = self._families[picked]
            family = families[int(rng.integers(len(families)))]
            face = family[int(rng.integers(len(family)))]
            if face.covers(text):
                return face
        fitting = [face for face in self.faces if face.covers(text)]
        if not fitting:
            raise FontError(f"no font holds all characters of {text!r}: install more fonts")
        return fitting[int(rng.integers(len(fitting)))]


@lru_cache(maxsize=4)
def default_library(folder: Path | None = None, more: str = "") -> FontLibrary:
    """Return the library of the system's folders, or of one folder, cached."""
    return FontLibrary(None if folder is None else [folder], more)


@lru_cache(maxsize=256)
def sized(path: Path, index: int, size: int) -> ImageFont.FreeTypeFont:
    """Return the font object of a face at `size` pixels per em, cached."""
    return ImageFont.truetype(str(path), size, index=index, layout_engine=ImageFont.Layout.BASIC)


def _distinct(faces: Iterable[FontFace]) -> tuple[FontFace, ...]:
    """Return faces without copies from several packages or formats."""
    seen: dict[tuple[str, str], FontFace] = {}
    for face in faces:
        seen.setdefault((face.family, face.path.stem.lower()), face)
    return tuple(seen.values())


def _faces_of(path: Path, more: str) -> list[FontFace]:
    faces = []
    for index in range(16):
        try:
            font = ImageFont.truetype(
                str(path), _PROBE_PX, index=index, layout_engine=ImageFont.Layout.BASIC
            )
        except OSError as error:
            if index == 0:
                _log.debug("font %s cannot be opened: %s", path, error)
            break
        family, style = font.getname()
        face = _face(path, index, font, family or path.stem, style or "", more)
        if face is not None:
            faces.append(face)
        if path.suffix.lower() not in {".ttc", ".otc"}:
            break
    return faces


def _face(
    path: Path, index: int, font: ImageFont.FreeTypeFont, family: str, style: str, more: str
) -> FontFace | None:
    name = f"{family} {style} {path.stem}".lower()
    if any(word in name for word in _UNFIT):
        return None
    chars = _drawable(font)
    if not chars.issuperset(_CAPITALS) or not _is_latin(font, chars):
        return None
    kind = next((part for part in reversed(path.parts) if part in KINDS), None) or next(
        (k for k, words in _KIND_WORDS.items() if re.search(words, name)), "sans"
    )
    if kind == "sans" and font.getlength("iiii") == font.getlength("WWWW"):
        kind = "mono"
    bold = any(w in name for w in ("bold", "black", "heavy", "demi", "extrab"))
    italic = any(w in name for w in ("italic", "oblique", "slanted"))
    chars |= _further(font, chars, more)
    return FontFace(path, index, family, kind, bold, italic, chars)


def _drawable(font: ImageFont.FreeTypeFont) -> frozenset[str]:
    """Return the printable characters with a visible glyph, without the missing-glyph symbol."""
    missing = _bits(font, "\U0010fffd")
    glyphs = {c: _bits(font, c) for c in _PRINTABLE}
    good = {c for c, bits in glyphs.items() if bits is not None and bits != missing}
    # A face of capitals repeats them for the lower case, whose labels would be wrong. Pairs such as
    # I and l may be equal in a regular face, which keeps the capital.
    owner: dict[object, str] = {}
    for c in sorted(good, key=_PRINTABLE.index):
        owner.setdefault(glyphs[c], c)
    good = set(owner.values())
    if sum(c in good for c in _LETTERS) < len(_LETTERS) - 2 or _has_small_capitals(font):
        good.difference_update(_LETTERS)
    return frozenset(good)


def _further(font: ImageFont.FreeTypeFont, chars: frozenset[str], more: str) -> frozenset[str]:
    """Return the further characters with a visible glyph that differs from that of their letter.

    Some faces draw an accented letter without its accent, and faces of capitals draw capitals for
    the lower case.
    """
    if not more:
        return frozenset()
    missing = _bits(font, "\U0010fffd")
    has_lower = chars.issuperset("aeo")
    good = set()
    for c in more:
        bits = _bits(font, c)
        letter = unicodedata.normalize("NFD", c)[0]
        plain = _bits(font, letter) if letter != c else None
        if bits is not None and bits not in (missing, plain) and (has_lower or not c.islower()):
            good.add(c)
    return frozenset(good)


def _has_small_capitals(font: ImageFont.FreeTypeFont) -> bool:
    """Tell whether lower-case letters have glyphs of capitals, at any size."""
    pairs = [_shape(font, c) * _shape(font, c.lower()) for c in "ABDEGHNQRT"]
    return float(np.median([pair.sum() for pair in pairs])) > 0.75


def _bits(font: ImageFont.FreeTypeFont, char: str) -> tuple[object, ...] | None:
    try:
        mask, offset = font.getmask2(char, mode="L")
    except (OSError, ValueError):
        return None
    data = bytes(mask)
    if not any(data):
        return None
    return mask.size, offset, data


@lru_cache(maxsize=1)
def _reference() -> NDArray[np.float32]:
    """Return the shapes of Pillow's built-in sans, the reference of Latin faces."""
    font = ImageFont.load_default(_PROBE_PX)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return np.stack([_shape(font, c) for c in _CAPITALS])


def _is_latin(font: ImageFont.FreeTypeFont, chars: frozenset[str]) -> bool:
    shapes = np.stack([_shape(font, c) for c in _CAPITALS])
    likeness = (shapes * _reference()).sum(axis=(1, 2))
    return float(np.median(likeness)) > _LEAST_LIKENESS


def _shape(font: ImageFont.FreeTypeFont, char: str) -> NDArray[np.float32]:
    """Return a glyph stretched to a square, blurred, with zero mean and unit norm."""
    core = font.getmask(char, mode="L")
    mask = np.frombuffer(bytes(core), np.uint8).reshape(core.size[1], core.size[0])
    rows, columns = np.flatnonzero(mask.max(1) > 64), np.flatnonzero(mask.max(0) > 64)
    if not len(rows):
        return np.zeros((_CELL, _CELL), np.float32)
    tight = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cell = cv2.GaussianBlur(
        cv2.resize(tight, (_CELL, _CELL), interpolation=cv2.INTER_AREA), (5, 5), 1.2
    ).astype(np.float32)
    cell -= cell.mean()
    return cell / max(float(np.linalg.norm(cell)), 1e-6)
