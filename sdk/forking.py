"""What a forked child of a process must make anew.

A fork copies memory, but no threads: pools have nobody left to work in them, and a lock that
another thread held stays shut for ever. In the child, everything given to `renew_in_child` is told.
"""

from __future__ import annotations

import ctypes
import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["Renewed", "abandon", "is_forked", "renew_in_child"]


class Renewed(Protocol):
    """Holds threads, or locks of threads."""

    def renew(self) -> None:
        """Replace them, in a forked child that has no other thread yet."""


_living: WeakSet[Renewed] = WeakSet()
_forked = False


def renew_in_child(thing: Renewed) -> None:
    """Call the method `renew` of something in every forked child, for as long as it lives."""
    _living.add(thing)


def is_forked() -> bool:
    """Tell whether this process was forked off another in which the SDK was imported."""
    return _forked


def abandon(thing: object) -> None:
    """Keep something from ever being freed: what would join threads that stayed in the parent."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _renew() -> None:
    global _forked
    _forked = True
    for thing in list(_living):
        thing.renew()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew)
