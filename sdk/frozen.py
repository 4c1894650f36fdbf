"""The folder of the SDK's hooks for PyInstaller (entry point ``pyinstaller40``)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["hook_dirs"]


def hook_dirs() -> list[str]:
    """Return the folders of hooks for PyInstaller."""
    return [str(Path(__file__).parent / "pyinstaller")]
