"""Items of a source of labels: a picture, or a part of one, with its text as it was written."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PICTURE_SUFFIXES", "Item", "split_named"]

PICTURE_SUFFIXES = ("bmp", "gif", "jpeg", "jpg", "png", "tif", "tiff", "webp")
"""Suffixes of file names that are taken for pictures, in lower case, without the dot."""

_NAMES = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_NAMES |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")


@dataclass(frozen=True)
class Item:
    """A line of text as a source of labels names it.

    Attributes:
        picture: Path of the picture as written.
        text: Text as written; None if it is missing.
        source: Name of the photo that the line is a part of; empty if none is given.
        split: One of `training.data.labels.SPLITS`; empty if none is given.
        quad: (x, y) of four corners in px of the picture, one after the other, clockwise from the
            start of the line; empty if the whole picture is the line, or shows no text at all; None
            if the text is somewhere in the picture.
        case: Whether upper and lower case of the text are right.
    """

    picture: str
    text: str | None
    source: str = ""
    split: str = ""
    quad: tuple[float, ...] | None = ()
    case: bool = True


def split_named(name: object) -> str:
    """Return the split that a name such as ``valid`` stands for; empty for other names."""
    return _NAMES.get(str(name).strip().lower(), "")
