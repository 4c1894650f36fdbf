"""Renewal of threads and locks in a forked child process.

A fork copies memory, but no threads. In the child, thread pools have no threads, and a lock that
another thread held is never released. The child calls `renew` of every object registered by
`renew_in_child`.
"""

from __future__ import annotations

import ctypes
import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["Renewed", "abandon", "is_forked", "renew_in_child"]


class Renewed(Protocol):
    """An object that holds threads, or locks that are shared by threads."""

    def renew(self) -> None:
        """Replace the threads and locks, in a forked child that has no other thread yet."""


_living: WeakSet[Renewed] = WeakSet()
_forked = False


def renew_in_child(thing: Renewed) -> None:
    """Call the object's `renew` in every forked child, as long as the object exists."""
    _living.add(thing)


def is_forked() -> bool:
    """Tell whether this process was forked from a process that had imported the SDK."""
    return _forked


def abandon(thing: object) -> None:
    """Keep an object in memory forever, because its release would join threads of the parent."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _renew() -> None:
    global _forked
    _forked = True
    for thing in list(_living):
        thing.renew()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew)
