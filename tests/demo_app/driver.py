"""Stand-ins for who uses the screen: its thread, and an operator's fingers and eyes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# Generous: the machine may be busy with other work.
PATIENCE_S = 120.0


class Posted:
    """Functions that wait for the screen's thread, which the test stands for."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, act: Callable[[], None]) -> None:
        self.waiting.append(act)

    def run(self, done: Callable[[], object]) -> None:
        """Runs what is posted until something is true."""
        wait_until(lambda: self._run_all() or done())

    def _run_all(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


def wait_until(
    true: Callable[[], object],
    step: Callable[[], None] | None = None,
    patience_s: float = PATIENCE_S,
) -> None:
    """Waits, doing steps, until something is true; fails after a long time."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        if step is None:
            time.sleep(0.02)
        else:
            step()


class Robot:
    """An operator: touches what is on the screen, types, and looks at its pixels."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def step(self) -> None:
        from kivy.base import EventLoop

        EventLoop.idle()
        time.sleep(0.005)

    def wait(self, true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        wait_until(true, self.step, patience_s)

    def settle(self, seconds: float = 0.25) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()

    def tap(self, widget: Any, at: tuple[float, float] = (0.5, 0.5)) -> None:
        """Touches a widget, at shares of its size from the lower left."""
        from kivy.tests.common import UnitTestTouch

        for _ in range(3):  # frames in which what changed before finds its place
            self.step()
        assert not widget.disabled, "the widget cannot be pressed"
        x, y = widget.x + at[0] * widget.width, widget.y + at[1] * widget.height
        touch = UnitTestTouch(*widget.to_window(x, y))
        touch.touch_down()
        self.step()
        touch.touch_up()
        self.settle()

    def drag(self, widget: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
        from kivy.tests.common import UnitTestTouch

        def place(share: tuple[float, float]) -> tuple[float, float]:
            return widget.to_window(
                widget.x + share[0] * widget.width, widget.y + share[1] * widget.height
            )

        touch = UnitTestTouch(*place(start))
        touch.touch_down()
        for part in (0.25, 0.5, 0.75, 1.0):
            x = start[0] + part * (end[0] - start[0])
            y = start[1] + part * (end[1] - start[1])
            touch.touch_move(*place((x, y)))
            self.step()
        touch.touch_up()
        self.settle()

    def type(self, text: str) -> None:
        """Types into the field that has the focus."""
        from kivy.core.window import Window

        for character in text:
            Window.dispatch("on_textinput", character)
        self.settle(0.1)

    def key(self, code: int) -> None:
        from kivy.core.window import Window

        # as the SDL window does: first to the widget with the focus, then to the shortcuts
        text = chr(code) if 32 <= code < 127 else None
        if not Window.dispatch("on_key_down", code, 0, text, []):
            Window.dispatch("on_keyboard", code, 0, text, [])
        Window.dispatch("on_key_up", code, 0)
        self.settle(0.1)

    def go(self, name: str) -> Any:
        """Shows a screen and returns it."""
        self.app.go(name)
        self.settle(0.4)
        return self.app.page

    def pixels(self) -> Any:
        """Returns the screen, uint8 RGB (H, W, 3)."""
        import numpy as np

        texture = self.app.root.export_as_image().texture
        shape = (texture.height, texture.width, 4)
        return np.frombuffer(texture.pixels, np.uint8).reshape(shape)[..., :3]

    def pixel(self, widget: Any, at: tuple[float, float]) -> tuple[int, int, int]:
        """Returns the color at shares of a widget's size from the lower left."""
        picture = self.pixels()
        x, y = widget.to_window(widget.x + at[0] * widget.width, widget.y + at[1] * widget.height)
        red, green, blue = picture[picture.shape[0] - 1 - int(y), int(x)]
        return int(red), int(green), int(blue)

    def sheet(self) -> Any:
        """Returns the dialog on top."""
        from kivy.core.window import Window

        from demo_app.ui.widgets import Sheet

        return next(child for child in Window.children if isinstance(child, Sheet))
