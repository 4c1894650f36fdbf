"""Pictures of all screens, for the manual."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.widget import Widget
from PIL import Image

from demo_app.models.settings import SAMPLES
from demo_app.screens.specialist import open_specialist

if TYPE_CHECKING:
    from demo_app.app import StationApp

_STEP_S = 0.1

Steps = Generator[Callable[[], bool], None, None]


def take_all(app: StationApp, folder: Path) -> None:
    """Save a picture of every screen after the start of the app, then end the app."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = _tour(app, folder)
    waiting: list[Callable[[], bool]] = []

    def go_on(_seconds: float) -> None:
        if waiting and not waiting[0]():
            return
        waiting.clear()
        try:
            waiting.append(next(steps))
        except StopIteration:
            app.stop()

    Clock.schedule_interval(go_on, _STEP_S)


def save(widget: Widget, path: Path) -> None:
    """Save a widget as a PNG of 256 colors, which are enough for these screens."""
    shot = widget.export_as_image()
    texture = shot.texture
    image = Image.frombytes("RGBA", texture.size, texture.pixels).convert("RGB")
    # keeps the colors of small marks beside a large picture
    few = image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def _tour(app: StationApp, folder: Path) -> Steps:
    """Visit the screens. Each yielded function is a condition to wait for."""
    size = f"{Window.width}x{Window.height}"
    work = app.work

    def shot(name: str) -> None:
        save(app.root, folder / f"{name}-{size}.png")

    for name, status, has_missing in (
        ("live-ng", "ng", False),
        ("live-missing", "ng", True),
        ("live-unreadable", "unreadable", True),
        ("live", "ok", False),
    ):
        yield partial(_shows, app, status, has_missing)
        # the screen is frozen while the station continues
        Clock.unschedule(app.page.refresh)
        yield from _pause(3)
        shot(name)
        app.page.on_pre_enter()
    app.go("still")
    app.page.open_file(SAMPLES / "04-good.jpg")
    yield lambda: work.still.photo is not None
    app.page.choose(2)
    yield from _pause(5)
    shot("still")
    app.go("history")
    newest_ng = next(row for row in work.history.rows() if row.record.verdict.status == "ng")
    yield from _pause(5)
    shot("history-statistics")
    app.page.open(newest_ng.record.id)
    yield from _pause(5)
    shot("history")
    app.go("jobs")
    yield from _pause(5)
    shot("jobs")
    sheet = open_specialist(work.job_name)
    yield from _pause(5)
    save(sheet, folder / f"reader-{size}.png")
    sheet.dismiss()
    app.go("settings")
    yield from _pause(5)
    shot("settings")
    work.pause()  # the self-check measures how fast a picture is read
    app.go("about")
    app.page.run()
    yield lambda: not app.page.running
    yield from _pause(5)
    shot("about")


def _shows(app: StationApp, status: str, has_missing: bool) -> bool:
    """Tell whether a product of a status is shown, with or without a missing line."""
    rows = app.page.rows.children
    is_missing = any(row.ids.crop.texture is None for row in rows)
    return app.page.band.status == status and is_missing == has_missing


def _pause(steps: int) -> Steps:
    for _ in range(steps):
        yield lambda: True
