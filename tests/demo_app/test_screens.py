"""The screens themselves: what fits, what moves, and what fingers and keys do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo_app.__main__ import main
from demo_app.models.settings import DEMO, SAMPLES, Settings, load_settings
from demo_app.models.words import verdict_title
from tests.demo_app.driver import Robot

pytest.importorskip("kivy")

RunApp = Callable[[Settings], Robot]
F3, ESCAPE, TAB, ENTER = 284, 27, 9, 13


@pytest.fixture
def settings(belt: Path) -> Settings:
    return Settings().changed(camera=str(belt), threads=1, job="Steripad")


def walk(widget: Any) -> Iterator[Any]:
    yield widget
    for child in widget.children:
        yield from walk(child)


def cut_texts(robot: Robot) -> list[str]:
    """Lists the texts on buttons, chips and the rail that are cut."""
    from demo_app.ui.widgets import FitText, Pressable, Row

    found = []
    for button in walk(robot.app.root):
        if isinstance(button, Pressable) and not isinstance(button, Row):
            found += [
                label.text
                for label in walk(button)
                if isinstance(label, FitText) and label.is_shortened
            ]
    return found


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("size", [(800, 480), (1920, 1080)])
def test_no_button_cuts_its_text(
    run_app: RunApp, settings: Settings, language: str, size: tuple[int, int]
) -> None:
    from kivy.core.window import Window

    # a long path may be cut
    robot = run_app(settings.changed(language=language, camera=DEMO))
    before = Window.size
    Window.size = size
    try:
        robot.app.work.single_shot()
        robot.wait(lambda: robot.app.work.live.view.status != "waiting")
        for name in ("live", "still", "history", "jobs", "settings", "about"):
            robot.go(name)
            assert robot.pixels().shape[:2] == size[::-1]
            assert cut_texts(robot) == [], name
        band = robot.go("live").band
        for status in ("ok", "ng", "unreadable", "waiting"):
            band.title = verdict_title(status)
            robot.settle(0.1)
            assert not any(getattr(label, "is_shortened", False) for label in walk(band)), status
    finally:
        Window.size = before
        robot.settle()


def test_one_texture_shows_all_pictures(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    live = robot.app.page
    textures, shown = set(), set()

    def look() -> bool:
        view = robot.app.work.live.view
        if live.photo.texture is not None:
            textures.add((id(live.photo.texture), live.photo.texture.id))
            shown.add(id(view))
        return view.state == "ended"

    robot.app.work.start()
    robot.wait(look)
    assert len(shown) > 3
    assert len(textures) == 1
    strips = [row.ids.strip.texture for row in live.lines.children]
    assert all(strip is not None for strip in strips)


def test_picture_is_shown_as_it_is(run_app: RunApp, settings: Settings) -> None:
    import numpy as np

    robot = run_app(settings)
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:20, :40], picture[20:, 40:] = (255, 0, 0), (0, 0, 255)
    photo = robot.go("still").photo
    photo.show(picture)
    robot.settle()
    x, y, width, height = photo.frame()
    share = ((x - photo.x) / photo.width, (y - photo.y) / photo.height)
    size = (width / photo.width, height / photo.height)
    corners = {"top left": (0.2, 0.8), "bottom right": (0.8, 0.2), "top right": (0.8, 0.8)}
    seen = {
        name: robot.pixel(photo, (share[0] + a * size[0], share[1] + b * size[1]))
        for name, (a, b) in corners.items()
    }
    assert seen == {
        "top left": (255, 0, 0),
        "bottom right": (0, 0, 255),
        "top right": (0, 0, 0),
    }


def test_still_is_opened_tapped_zoomed_and_corrected(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    page, still = robot.go("still"), robot.app.work.still
    page.open_file(SAMPLES / "01-good.jpg")
    robot.wait(lambda: still.photo is not None)
    robot.settle()
    x, y, width, height = page.photo.frame()
    quad = still.boxes[2].quad
    middle = [sum(point[axis] for point in quad) / 4 for axis in (0, 1)]
    at = (
        (x + middle[0] * width - page.photo.x) / page.photo.width,
        (y + (1 - middle[1]) * height - page.photo.y) / page.photo.height,
    )
    robot.tap(page.photo, at)
    assert still.chosen == 2
    panel = page.side.children[0]
    assert [view.text for view in panel.ids.chars.children[::-1]] == list("LOT 26A417")
    robot.tap(page.ids.zoom_in)
    assert page.photo.zoom == 1.5
    before = list(page.photo.center_share)
    robot.drag(page.photo, (0.5, 0.5), (0.3, 0.5))
    assert page.photo.center_share[0] > before[0]
    assert still.chosen == 2
    robot.tap(page.ids.fit)
    assert page.photo.zoom == 1.0
    robot.tap(panel.ids.correction, (0.9, 0.5))
    robot.type("X")
    robot.tap(panel.ids.save)
    robot.wait(lambda: still.photo.record is not None)
    record = robot.app.work.history.choose(still.photo.record)
    assert "LOT 26A417X" in record.correction.splitlines()


def test_correction_stays_with_its_photo(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    work, page = robot.app.work, robot.go("still")
    still = work.still
    first, second = (still.load(SAMPLES / name, name) for name in ("01-good.jpg", "02-good.jpg"))
    still.show(first)
    still.choose(0)
    busy = threading.Event()
    work.background.run(busy.wait, lambda _: None, lambda _: None)
    page.correct("ONE")
    still.show(second)  # before the first is kept
    busy.set()
    robot.wait(lambda: first.record is not None)
    assert second.record is None
    robot.wait(lambda: work.history.history.get(first.record).correction)
    assert work.history.history.get(first.record).correction.startswith("ONE\n")


def test_job_is_edited_by_touch(run_app: RunApp, settings: Settings, tmp_path: Path) -> None:
    robot = run_app(settings)
    robot.app.work.single_shot()
    robot.wait(lambda: robot.app.work.live.latest)
    page, jobs = robot.go("jobs"), robot.app.work.jobs
    assert jobs.draft is not None and jobs.draft.name == "Steripad"
    page.choose_region()
    robot.settle()
    view = robot.sheet().view
    robot.drag(view, (0.3, 0.7), (0.7, 0.3))
    robot.tap(robot.sheet().actions.children[0])
    x, y, width, height = jobs.draft.region
    assert 0 < x < x + width < 1 and 0 < y < y + height < 1
    page.remove_rule(jobs.draft.rules[0])
    page.add_rule("pattern")
    assert "pattern is empty" in page.problem
    jobs.draft.rules[-1].values["pattern"] = "("
    page.show_draft()
    assert page.problem.startswith("Pattern (4)")
    robot.tap(page.ids.save)
    assert page.editing and "regular expression" in robot.app.root.toast.text
    robot.tap(page.ids.cancel)
    assert page.problem == "" and len(jobs.draft.rules) == 4
    assert jobs.draft.region is None


def test_settings_change_language_and_look_at_once(
    run_app: RunApp, settings: Settings, tmp_path: Path
) -> None:
    robot = run_app(settings)
    app = robot.app
    page = robot.go("settings")
    dark = robot.pixel(app.root, (0.99, 0.5))
    page._set("language", None, "de")
    page._set("look", None, "light")
    assert page.changed
    robot.tap(page.ids.apply)
    assert not page.changed
    assert page.ids.apply.text == "Übernehmen"
    assert [item.text for item in app.root.rail.children[-1:]] == ["Live"]
    assert {"Verlauf", "Aufträge"} <= {getattr(i, "text", "") for i in app.root.rail.children}
    light = robot.pixel(app.root, (0.99, 0.5))
    assert sum(light) > sum(dark) + 300
    assert load_settings(tmp_path).get("language") == "de"


def test_keys_move_start_and_leave(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    app = robot.app
    robot.key(F3)
    assert app.page_name == "history"
    robot.key(282)
    assert app.page_name == "live"
    robot.key(32)
    assert app.work.running
    robot.key(32)
    assert not app.work.running
    robot.key(ESCAPE)
    assert app.page_name == "live"


def test_letters_in_a_field_are_no_shortcuts(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    page = robot.go("history")
    robot.tap(page.ids.search)
    assert page.ids.search.focus
    robot.key(ord("e"))
    robot.type("e")
    assert page.ids.search.text == "e"
    with pytest.raises(StopIteration):
        robot.sheet()  # E alone exports
    page.ids.search.focus = False
    robot.key(ord("e"))
    assert robot.sheet().title == "Export the listed verdicts"


def test_focus_and_enter_press_a_button(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    live = robot.app.page
    live.ids.start.focus = True
    robot.settle(0.1)
    robot.key(ENTER)
    robot.wait(lambda: robot.app.work.running)
    robot.key(TAB)
    assert not live.ids.start.focus


def test_failure_is_shown_not_raised(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings.changed(camera="no/such/folder"))
    robot.tap(robot.app.page.ids.start)
    assert "no/such/folder" in robot.app.root.toast.text
    assert robot.app.root.toast.opacity == 1
    assert not robot.app.page.running


def test_history_that_cannot_be_read_is_said(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    robot.app.work.history.history.close()
    page = robot.go("history")
    assert "closed" in robot.app.root.toast.text
    assert not page.rows.children and not page.side.children


def test_window_opens_without_its_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from demo_app.app import StationApp

    said: list[str] = []
    monkeypatch.setattr(StationApp, "run", lambda app: said.extend(app.work.warnings))
    camera = ["--camera", "no/such/folder"]
    assert main(["--folder", str(tmp_path), *camera, "--start"]) == 0
    assert "no/such/folder" in said[0]


def luminance(color: Any) -> float:
    """Relative luminance, WCAG 2."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Any, other: Any) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_texts_stand_out_from_their_ground(look: str) -> None:
    from demo_app.ui.theme import MARKS, VERDICTS, Theme

    theme = Theme()
    theme.look = look
    white = (1, 1, 1, 1)
    pairs = [
        (theme.ink, theme.surface),
        (theme.ink, theme.ground),
        (theme.ink, theme.pressed),
        (theme.muted, theme.surface),
        (theme.muted, theme.ground),
        (theme.problem, theme.surface),
        (theme.rail_ink, theme.rail),
        (white, theme.rail_active),
        (white, theme.primary),
        *VERDICTS.values(),
    ]
    assert [round(contrast(a, b), 1) for a, b in pairs if contrast(a, b) < 4.5] == []
    # shapes: 3 is enough
    assert min(contrast(mark, theme.surface) for mark in MARKS[look].values()) >= 3


def test_scale_grows_slower_than_the_window() -> None:
    from demo_app.ui.theme import scale_for

    assert scale_for(800, 480) == 1
    assert 1.5 < scale_for(1920, 1080) < 2.25
    assert scale_for(1920, 480) == 1
    assert scale_for(640, 384) == pytest.approx(0.8)


def test_verdict_shapes_differ_without_color() -> None:
    import numpy as np

    from demo_app.ui.icons import ICONS, draw_icon

    for name in ICONS:
        assert np.asarray(draw_icon(name, 24)).max() == 255, name
    shapes = [np.asarray(draw_icon(name, 48)) > 127 for name in ("ok", "ng", "unreadable")]
    for i, one in enumerate(shapes):
        for other in shapes[i + 1 :]:
            assert (one & other).sum() / (one | other).sum() < 0.4


def test_lost_camera_is_shown_with_its_reason(
    run_app: RunApp, settings: Settings, tmp_path: Path
) -> None:
    # a file that is there but is no video
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    robot = run_app(settings.changed(camera=str(tmp_path / "clip.mp4")))
    live = robot.app.page
    robot.tap(live.ids.start)
    robot.wait(lambda: live.alert)
    robot.settle()
    assert "clip.mp4" in live.alert
    assert live.state_text == "No camera"
    # the whole reason is on the screen
    assert live.ids.alert.height >= live.ids.alert.texture_size[1] > 0
    robot.app.work.pause()
