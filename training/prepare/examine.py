"""Examination of items: their texts, their pictures, and whether one fits the other."""

from __future__ import annotations

import contextlib
import hashlib
import io
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from sdk.charset import Charset
from sdk.errors import ImageError
from sdk.files import open_regular
from sdk.image.load import load_image
from sdk.recognize.crops import COLUMN_PX
from sdk.rectify.crop import CROP_HEIGHT
from training.data.line_images import columns_needed
from training.prepare.items import Item
from training.prepare.journal import Finding, Row

__all__ = ["Examiner", "TextRules"]

_WIDE_PX = 100
"""Width of a character at a height of 32 px from which text is probably missing in the label."""
_PLAIN = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp"}
"""Formats that are copied as they are."""
_LOOKS_MISSING = {"n/a", "na", "nan", "none", "null", "undefined"}
_FOLDER_SIZE = 1000


@dataclass(frozen=True)
class TextRules:
    """Rules for texts.

    Attributes:
        charset: Characters that texts may have; None for any.
        null_text: Text of items without a text; empty to leave such items out.
        null_values: Texts that stand for no text.
    """

    charset: Charset | None = None
    null_text: str = ""
    null_values: tuple[str, ...] = ("###",)


class Examiner(ABC):
    """Examines the items of one picture after the other, and copies the pictures that are kept.

    Attributes:
        what: What holds a text: the picture of a line, or a box in a photo.
        encoding: Format of Pillow for pictures that are not copied as they are.
    """

    what: ClassVar[str]
    encoding: ClassVar[str]

    def __init__(self, folder: Path, near: tuple[Path, ...], out: Path, rules: TextRules) -> None:
        """Create the examiner.

        Args:
            folder: Folder that holds all pictures.
            near: Further folders in it that paths may be relative to.
            out: Labeled folder to write pictures into.
            rules: Rules for texts.
        """
        self._home = folder.resolve()
        places = (folder, *near, folder / "images", folder / "imgs")
        self._near = tuple(dict.fromkeys(places))
        self._out = out
        self._rules = rules

    @abstractmethod
    def examine(self, unit: Sequence[Row]) -> list[Finding]:
        """Return what is found for each item of a unit; write its picture if it is kept."""

    def examine_all(self, units: Sequence[Sequence[Row]]) -> list[Finding]:
        """Return what is found for each item of some units, see `examine`."""
        return [finding for unit in units for finding in self.examine(unit)]

    def _text(self, item: Item) -> Finding:
        rules = self._rules
        text = unicodedata.normalize("NFC", item.text or "").strip()
        if not text or text in rules.null_values:
            if not rules.null_text:
                return Finding(outcome="no text")
            text = rules.null_text
        found = Finding(text=text)
        if rules.charset is not None and any(c not in rules.charset for c in text):
            return replace(found, outcome="character outside the charset")
        if any(unicodedata.category(c) == "Cc" for c in text):
            return replace(found, outcome="control character in the text")
        if text.lower() in _LOOKS_MISSING and text != rules.null_text:
            return replace(found, doubt="text looks like a missing value")
        return found

    def _load(self, name: str) -> tuple[bytes, np.ndarray] | str:
        """Return the file of a picture and its pixels, or why it cannot be used."""
        path = self._find(name)
        if path is None:
            return "picture missing"
        if not path.resolve().is_relative_to(self._home):
            return "picture outside the folder"
        try:
            with open_regular(path) as file:
                data = file.read()
            return data, load_image(data)
        except (OSError, ImageError):
            return "picture unreadable"

    def _find(self, name: str) -> Path | None:
        """Return the file of a picture; paths may have the other system's separators."""
        if not name or "\0" in name:
            return None
        paths = dict.fromkeys((name, name.replace("\\", "/")))
        places = (folder / path for path in paths for folder in self._near)
        try:
            return next((place for place in places if place.is_file()), None)
        except OSError:  # a name that no file can have
            return None

    def _fit(self, finding: Finding, width: float, height: float) -> Finding:
        """Return a finding with the size of its line in px, and whether the text fits in."""
        text = finding.text
        scaled = max(1, round(width * CROP_HEIGHT / height))
        # only equal neighbors count, so that any numbering of the characters serves
        needed = COLUMN_PX * columns_needed(np.array([ord(c) for c in text]))
        finding = replace(finding, width=round(width), height=round(height), needed=needed)
        if 2 * height > 3 * width and len(text) > 2:
            return replace(finding, outcome=f"{self.what} higher than wide")
        if needed > max(scaled, CROP_HEIGHT):
            return replace(finding, outcome=f"text too long for its {self.what}")
        if not finding.doubt and scaled > _WIDE_PX * max(2, len(text)):
            return replace(finding, doubt=f"{self.what} wide for its text")
        return finding

    def _store(self, unit: int, data: bytes, pixels: np.ndarray) -> tuple[str, bytes]:
        """Write a picture; return its name in the labeled folder and a digest of its pixels."""
        data, suffix = _stored(data, pixels, self.encoding)
        name = f"images/{unit // _FOLDER_SIZE:04d}/{unit:07d}{suffix}"
        target = self._out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return name, hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()


def _stored(data: bytes, pixels: np.ndarray, encoding: str) -> tuple[bytes, str]:
    """Return the bytes of a picture as stored, and the suffix of its name.

    The bytes are kept if every decoder shows the same picture: without transparency, orientation,
    16-bit channels or further frames.
    """
    # Pillow cannot open all that `load_image` can, such as PDF
    with contextlib.suppress(OSError), Image.open(io.BytesIO(data)) as picture:
        plain = picture.mode in ("RGB", "L") and "transparency" not in picture.info
        if plain and picture.format in _PLAIN and picture.size == pixels.shape[1::-1]:
            upright = picture.getexif().get(0x0112, 1) == 1
            if upright:
                return data, _PLAIN[picture.format]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, encoding, quality=95)
    return buffer.getvalue(), _PLAIN[encoding]
