"""The screen without a display: SDL draws off screen, the tests run Kivy's event loop by hand."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo_app import language
from demo_app.models.settings import SAMPLES, Settings
from demo_app.models.workplace import Workplace
from sdk import Reader

# Before the first import of Kivy, which reads them once.
os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ["KIVY_NO_ARGS"] = os.environ["KIVY_NO_FILELOG"] = "1"
os.environ["KIVY_LOG_MODE"] = "PYTHON"
os.environ["KIVY_HOME"] = tempfile.mkdtemp(prefix="kivy-")

WINDOW = (800, 480)
# Generous: the machine may be busy with other work.
PATIENCE_S = 120.0


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    with Reader(threads=1) as one:
        yield one


@pytest.fixture(autouse=True)
def english() -> None:
    language.set_language("en")


@pytest.fixture
def belt(tmp_path: Path) -> Path:
    """A folder with the sample pictures."""
    folder = tmp_path / "belt"
    folder.mkdir()
    for picture in SAMPLES.glob("*.jpg"):
        shutil.copy(picture, folder)
    return folder


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


def wait_until(true: Callable[[], object], step: Callable[[], None] | None = None) -> None:
    """Waits, doing steps, until something is true; fails after a long time."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        if step is None:
            time.sleep(0.02)
        else:
            step()


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def workplace(tmp_path: Path, belt: Path, posted: Posted) -> Iterator[Workplace]:
    """A new station that sees the sample pictures once."""
    settings = Settings().changed(camera=str(belt), threads=1, job="Steripad")
    work = Workplace(tmp_path, settings, posted)
    yield work
    work.close()


class Robot:
    """An operator: touches what is on the screen, types, and looks at its pixels."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def step(self) -> None:
        from kivy.base import EventLoop

        EventLoop.idle()
        time.sleep(0.005)

    def wait(self, true: Callable[[], object]) -> None:
        wait_until(true, self.step)

    def settle(self, seconds: float = 0.25) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()

    def tap(self, widget: Any, at: tuple[float, float] = (0.5, 0.5)) -> None:
        """Touches a widget, at shares of its size from the lower left."""
        from kivy.tests.common import UnitTestTouch

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

        Window.dispatch("on_key_down", code, 0, None, [])
        Window.dispatch("on_key_up", code, 0)
        self.settle(0.1)

    def pixels(self) -> Any:
        """Returns the screen, uint8 RGB (H, W, 3)."""
        import numpy as np

        texture = self.app.root.export_as_image().texture
        shape = (texture.height, texture.width, 4)
        return np.frombuffer(texture.pixels, np.uint8).reshape(shape)[..., :3]

    def pixel(self, widget: Any, at: tuple[float, float]) -> tuple[int, int, int]:
        """Returns the color at shares of a widget's size from the lower left."""
        picture = self.pixels()
        x, y = widget.to_window(
            widget.x + at[0] * widget.width, widget.y + at[1] * widget.height
        )
        red, green, blue = picture[picture.shape[0] - 1 - int(y), int(x)]
        return int(red), int(green), int(blue)

    def sheet(self) -> Any:
        """Returns the dialog on top."""
        from kivy.core.window import Window

        from demo_app.ui.widgets import Sheet

        return next(child for child in Window.children if isinstance(child, Sheet))


@pytest.fixture
def run_app(tmp_path: Path) -> Iterator[Callable[[Settings], Robot]]:
    """Opens the app on a screen of 800x480; at the end it is closed."""
    pytest.importorskip("kivy", reason="the screen needs Kivy: pip install 'fots-lite[demo]'")
    from kivy.config import Config

    Config.set("graphics", "width", str(WINDOW[0]))
    Config.set("graphics", "height", str(WINDOW[1]))
    from kivy.base import EventLoop
    from kivy.core.window import Window

    from demo_app.app import StationApp
    from demo_app.post import to_screen_thread

    opened: list[Any] = []

    def run(settings: Settings) -> Robot:
        EventLoop.ensure_window()
        app = StationApp(Workplace(tmp_path, settings, to_screen_thread))
        opened.append(app)
        app._run_prepare()  # App.run without its loop
        robot = Robot(app)
        robot.settle()
        return robot

    yield run
    for app in opened:
        for child in list(Window.children):
            Window.remove_widget(child)
        app.stop()
        app.work.close()
    EventLoop.status = "stopped"
