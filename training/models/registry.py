"""Trunks by name.

A trunk is a function ``(layers, image, fused) -> Taps`` on an image (N, H, W, 3) scaled to -1..1;
`trunk` registers it. ``fused`` replaces the depthwise pairs of the first expanding stages by plain
convolutions, in families with such stages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from training.errors import TrainingError

__all__ = ["Taps", "create_trunk", "list_trunks", "trunk"]


class Taps(NamedTuple):
    """Feature maps of a trunk at strides 4, 8, 16 and 32."""

    stride4: Any
    stride8: Any
    stride16: Any
    stride32: Any


_TRUNKS: dict[str, Callable[[Any, Any, bool], Taps]] = {}


def trunk(name: str) -> Callable[[Callable[[Any, Any, bool], Taps]], Any]:
    """Return a decorator that registers a trunk under a name."""

    def register(make: Callable[[Any, Any, bool], Taps]) -> Callable[[Any, Any, bool], Taps]:
        _TRUNKS[name] = make
        return make

    return register


def list_trunks() -> list[str]:
    """Return the names of all trunks."""
    return sorted(_TRUNKS)


def create_trunk(name: str, layers: Any, image: Any, fused: bool) -> Taps:
    """Return the feature maps of an image.

    Raises:
        TrainingError: No trunk has this name.
    """
    if name not in _TRUNKS:
        raise TrainingError(f"No trunk is called {name!r}. Known: {', '.join(list_trunks())}.")
    return _TRUNKS[name](layers, image, fused)
