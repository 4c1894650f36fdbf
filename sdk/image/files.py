"""Which files are pictures, by their names."""

from __future__ import annotations

# fmt: off
PICTURE_SUFFIXES = frozenset((
    ".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg",
    ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
))
# fmt: on
