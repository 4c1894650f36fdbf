"""Bundles by name: where installed bundles are, and which folder a name means.

A bundle is installed by putting its folder into one of the folders of `search_path`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["MODELS", "beside", "find_named", "installed", "is_name", "resolve", "search_path"]

MODELS = "FOTS_LITE_MODELS"
"""Environment variable with folders of bundles, separated like those of PATH."""

PACKAGED = Path(__file__).resolve().parent.parent / "models"
"""Folder of the bundles that come with the package."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def is_name(text: str) -> bool:
    """Tell whether a text may be the name of a bundle: letters, digits, dots, dashes."""
    return _NAME.fullmatch(text) is not None


def search_path() -> list[Path]:
    """Return the folders that hold installed bundles, in the order of the search."""
    own = [Path(part) for part in os.environ.get(MODELS, "").split(os.pathsep) if part]
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    try:
        home = [Path(data).expanduser() / "fots-lite" / "models"]
    except RuntimeError:  # a user without a home folder
        home = []
    return [*own, *home, PACKAGED]


def installed() -> dict[str, Path]:
    """Return the folders of the installed bundles by name. The first of a name counts."""
    found: dict[str, Path] = {}
    for folder in search_path():
        try:
            names = sorted(entry.name for entry in os.scandir(folder))
        except OSError:  # most machines have the packaged bundles only
            continue
        for name in names:
            if is_name(name) and (folder / name / "model.json").is_file():
                found.setdefault(name, folder / name)
    return found


def find_named(name: str) -> Path | None:
    """Return the folder of an installed bundle, None if there is none of this name."""
    if not is_name(name):
        return None
    folders = (folder / name for folder in search_path())
    return next((folder for folder in folders if (folder / "model.json").is_file()), None)


def resolve(model: str | os.PathLike[str]) -> Path:
    """Return the folder that a user's word for a bundle means.

    Args:
        model: Path of a folder, or the name of an installed bundle. An existing folder counts
            before an installed bundle.
    """
    path = Path(model)
    if not isinstance(model, str) or path.is_dir():
        return path
    return find_named(model) or path


def beside(folder: Path, model: str) -> str | Path:
    """Return the bundle that a file in a folder names.

    Args:
        folder: Folder of the file.
        model: Path relative to the folder, or the name of an installed bundle.
    """
    path = folder / model
    return path if path.is_dir() or find_named(model) is None else model
