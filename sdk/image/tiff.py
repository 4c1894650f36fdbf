"""Pages of TIFF files, found without decoding (TIFF 6.0, section 2; BigTIFF)."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO

from sdk.errors import ImageError

__all__ = ["find_pages"]

MAX_PAGES = 10_000
# Bytes of a value, by type code.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}
_SUBFILE_TYPE = 254
# Bits of this tag: a smaller copy of another picture, a mask.
_NO_PAGE = 1 | 4


@dataclass(frozen=True, slots=True)
class _Layout:
    """Binary layout of a directory: number of entries, an entry, offset of the next directory."""

    count: struct.Struct
    entry: struct.Struct
    next: struct.Struct


def find_pages(file: IO[bytes], name: str) -> tuple[list[int], bool]:
    """Return the directories of a TIFF file that are pages, and whether the list is complete.

    Smaller copies and masks are not pages. If a directory is damaged, the pages before it are
    returned.

    Args:
        file: The file.
        name: Name of the file in messages.

    Returns:
        Numbers of the directories, counted from 0, and whether all directories were found.

    Raises:
        ImageError: The values of the first directory would need far more memory than the file.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return [0], True
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    codes = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    layout = _Layout(*(struct.Struct(order + code) for code in codes))
    [at] = layout.next.unpack_from(head, 8 if big else 4)
    pages: list[int] = []
    seen: set[int] = set()
    left = 4 * size
    while at and at not in seen:
        if len(seen) == MAX_PAGES:
            return pages or [0], False
        try:
            is_page, taken, following = _directory(file, at, layout, order)
        except (struct.error, OverflowError, OSError, ValueError):
            return pages or [0], False
        left -= taken
        if left < 0 and seen:
            return pages or [0], False
        if left < 0:
            raise ImageError(
                f"Cannot decode {name}: its tags overlap, they hold more than the file's "
                f"{size} bytes. Save the file again."
            )
        if is_page:
            pages.append(len(seen))
        seen.add(at)
        at = following
    return pages or [0], True


def _directory(file: IO[bytes], at: int, layout: _Layout, order: str) -> tuple[bool, int, int]:
    """Return whether a directory is a page, its number of bytes, and the next one's offset."""
    file.seek(at)
    [count] = layout.count.unpack(file.read(layout.count.size))
    if count > 65_535:  # Pillow and libtiff treat this as damage too
        raise ValueError(count)
    data = file.read(count * layout.entry.size)
    is_page, taken = True, len(data)
    for tag, kind, number, value in layout.entry.iter_unpack(data):
        bytes_ = _SIZES.get(kind, 0) * number
        taken += bytes_ if bytes_ > len(value) else 0
        if tag == _SUBFILE_TYPE:
            code = "H" if kind == 3 else "I"
            is_page = not struct.unpack_from(order + code, value)[0] & _NO_PAGE
    if len(data) < count * layout.entry.size:
        raise ValueError(count)
    [following] = layout.next.unpack(file.read(layout.next.size))
    return is_page, taken, following
