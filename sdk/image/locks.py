"""Locks for libraries that only one thread may use at a time."""

from __future__ import annotations

import os
import threading

__all__ = ["make_lock"]


def make_lock() -> threading.Lock:
    """Return a lock that is free in a forked child.

    A fork waits until no thread holds the lock, because in the child no thread would release it.
    """
    lock = threading.Lock()
    if hasattr(os, "register_at_fork"):  # Windows has no fork
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock
