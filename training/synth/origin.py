"""What decides the pixels besides the settings: libraries, fonts, background photos."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from sdk.cluster.versions import versions
from training.synth.fonts import FontLibrary
from training.synth.generator import Generator

__all__ = ["origin"]


def origin(generator: Generator) -> dict[str, str]:
    """Return versions of the libraries and hashes of the fonts and background photos.

    Machines on which these are equal write the same bytes.
    """
    found = {f"{name}_version": value for name, value in versions().items() if name in _DRAWING}
    from PIL import features

    found["freetype_version"] = str(features.version("freetype2"))
    found["fonts_sha256"] = _fonts_digest(generator.fonts)
    if generator.config.photos:
        found["photos_sha256"] = _photos_digest(Path(generator.config.photos))
    return found


_DRAWING = ("numpy", "opencv", "pillow")


@lru_cache(maxsize=4)
def _fonts_digest(fonts: FontLibrary) -> str:
    """Return the SHA-256 of the faces in their order: faces are drawn by number."""
    digest = hashlib.sha256()
    contents: dict[Path, str] = {}
    for face in fonts.faces:
        if face.path not in contents:
            contents[face.path] = hashlib.sha256(face.path.read_bytes()).hexdigest()
        digest.update(f"{contents[face.path]} {face.index} {face.family} {face.kind}\n".encode())
    return digest.hexdigest()


def _photos_digest(folder: Path) -> str:
    """Return the SHA-256 of names and sizes: there may be gigabytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = (f"{path.relative_to(folder)} {path.stat().st_size}\n" for path in files)
    return hashlib.sha256("".join(rows).encode("utf-8", "surrogateescape")).hexdigest()
