"""The screen without a display: SDL draws off screen, the tests run Kivy's event loop by hand."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo_app import language
from demo_app.models.settings import SAMPLES, Settings
from demo_app.models.workplace import Workplace
from sdk import Reader
from tests.demo_app.driver import Posted, Robot

# Before the first import of Kivy, which reads them once.
os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ["KIVY_NO_ARGS"] = os.environ["KIVY_NO_FILELOG"] = "1"
os.environ["KIVY_LOG_MODE"] = "PYTHON"
os.environ["KIVY_HOME"] = tempfile.mkdtemp(prefix="kivy-")

WINDOW = (800, 480)


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


@pytest.fixture
def run_app(tmp_path: Path) -> Iterator[Callable[[Settings], Robot]]:
    """Opens the app on a screen of 800x480; at the end it is closed."""
    if "tensorflow" in sys.modules:
        pytest.skip("TensorFlow is loaded, and Mesa would crash: run tests/demo_app by itself")
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
