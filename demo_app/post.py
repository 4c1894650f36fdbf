"""Calls from other threads to the screen's thread."""

from __future__ import annotations

from collections.abc import Callable

from kivy.clock import Clock


def to_screen_thread(act: Callable[[], None]) -> None:
    """Call a function in the screen's thread, before its next frame."""
    Clock.schedule_once(lambda _: act(), 0)
