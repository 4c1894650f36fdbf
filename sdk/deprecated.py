"""Names that have moved: they stay where they were for a while, and warn."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["moved_names"]


def moved_names(module: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module whose names have moved.

    Args:
        module: Name of the module.
        places: The module that each name is in now.
    """

    def getattr_(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(
            f"{module}.{name} has moved: import it from {places[name]}.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module(places[name]), name)

    return getattr_
