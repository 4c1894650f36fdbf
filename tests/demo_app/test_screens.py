"""The screens themselves: what fits, what moves, and what fingers and keys do."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo_app.__main__ import main
from demo_app.models.settings import DEMO, SAMPLES, Settings, load_settings
from demo_app.models.shift import Shift
from demo_app.models.words import verdict_title
from sdk.results import TextLine
from sdk.station import load_job
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


def small_targets(robot: Robot) -> list[str]:
    """Lists what a finger must hit and is smaller than 48 units: 9 mm on the 7 inch display."""
    from demo_app.ui.widgets import Field, Pressable

    least = 48 * robot.app.u - 1
    return [
        f"{type(widget).__name__} {getattr(widget, 'text', '')!r} {widget.size}"
        for widget in walk(robot.app.root)
        if isinstance(widget, (Pressable, Field)) and min(widget.size) < least
    ]


def stats(page: Any) -> list[Any]:
    from demo_app.ui.widgets import Stat

    return [widget for widget in walk(page) if isinstance(widget, Stat)][::-1]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("size", [(800, 480), (1920, 1080)])
def test_no_button_cuts_its_text_or_is_too_small(
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
            assert small_targets(robot) == [], name
        live = robot.go("live")
        for status in ("ok", "ng", "unreadable", "waiting"):
            live.band.title = verdict_title(status)
            robot.settle(0.1)
            assert not any(getattr(x, "is_shortened", False) for x in walk(live.band)), status
        counts = {"ok": 14_400, "ng": 1_234, "unreadable": 123}
        live._show_shift(Shift(0.0, **counts))
        robot.settle(0.1)
        assert [stat.value for stat in stats(live)][:3] == ["14400", "1234", "123"]
        assert not any(
            getattr(label, "is_shortened", False) for x in stats(live) for label in walk(x)
        )
    finally:
        Window.size = before
        robot.settle()


def doubtful_lines(robot: Robot) -> list[TextLine]:
    """The lines of the newest record that are read with less than the job's confidence."""
    verdict = robot.app.work.history.history.search(limit=1)[0].verdict
    least = robot.app.work.job.min_confidence
    return [line for line in verdict.reading if line.confidence < least]


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
    robot.wait(lambda: live.band.status == "unreadable")  # the last one is smeared
    assert len(live.rows.children) == 1 + len(doubtful_lines(robot))


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
    (field,) = jobs.draft.fields
    page.choose_region(field)
    robot.settle()
    view = robot.sheet().view
    robot.drag(view, (0.3, 0.7), (0.7, 0.3))
    robot.tap(robot.sheet().actions.children[0])
    x, y, width, height = jobs.draft.fields[0].region
    assert 0 < x < x + width < 1 and 0 < y < y + height < 1
    page.remove_rule(field, field.rules[0])
    page.add_rule(field, "pattern")
    assert "pattern is empty" in page.problem
    jobs.draft.fields[0].rules[-1].values["pattern"] = "("
    page.show_draft()
    assert page.problem.startswith("Pattern (4)")
    robot.tap(page.ids.save)
    assert page.editing and "group is not closed" in robot.app.root.toast.text
    robot.tap(page.ids.cancel)
    assert page.problem == "" and len(jobs.draft.fields[0].rules) == 4
    assert jobs.draft.fields[0].region is None


def test_fields_are_added_drawn_named_and_removed(
    run_app: RunApp, settings: Settings, tmp_path: Path
) -> None:
    robot = run_app(settings)
    work = robot.app.work
    work.single_shot()
    robot.wait(lambda: work.live.view.status == "ok")
    page, jobs = robot.go("jobs"), work.jobs
    upper = jobs.draft.fields[0]
    page.choose_region(upper)
    robot.settle()
    robot.drag(robot.sheet().view, (0, 0.98), (1, 0.6))
    robot.tap(robot.sheet().actions.children[0])
    page.add_field()
    robot.settle()
    assert robot.sheet().view.others == [upper.region]
    robot.drag(robot.sheet().view, (0, 0.55), (1, 0.02))
    robot.tap(robot.sheet().actions.children[0])
    assert cut_texts(robot) == [] and small_targets(robot) == []
    lower = jobs.draft.fields[1]
    name = next(w for w in walk(page.editor) if getattr(w, "text", "") == "Field 1")
    name.text = "Top"  # as typed
    assert [field.name for field in jobs.draft.fields] == ["Top", "Field 2"]
    assert page.problem == ""
    page.add_rule(lower, "pattern")
    lower.rules[0].values["pattern"] = "LOT .*"
    robot.tap(page.ids.save)
    job = load_job(tmp_path / "jobs" / "steripad.toml")
    assert [(field.name, len(field.rules)) for field in job.fields] == [("Top", 4), ("Field 2", 1)]

    # the lines of the lower field are missing in the upper one
    live = robot.go("live")
    robot.tap(live.ids.shot)
    robot.wait(lambda: live.band.status == "ng")
    assert live.band.reason.startswith("Top: ")
    boxes = {box.text: box.is_strong for box in work.live.view.boxes}
    assert boxes["Top"] and not boxes["Field 2"]
    record = work.history.history.search(limit=1)[0]
    assert {r.field for r in record.verdict.results if r.ok is False} == {"Top"}
    robot.app.open_record(record.id)
    robot.settle()
    assert "Top: " in robot.app.page.side.children[0].reasons

    page = robot.go("jobs")
    page.remove_field(jobs.draft.fields[1])
    robot.tap(page.ids.save)
    job = load_job(tmp_path / "jobs" / "steripad.toml")
    assert not job.fields and len(job.rules) == 4 and job.region == upper.region


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


def test_window_opens_without_its_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from demo_app.app import StationApp

    said: list[str] = []
    monkeypatch.setattr(StationApp, "run", lambda app: said.extend(app.work.warnings))
    camera = ["--camera", "no/such/folder"]
    assert main(["--folder", str(tmp_path), *camera, "--start"]) == 0
    assert "no/such/folder" in said[0]
    assert "delegate" not in capfd.readouterr().err  # a note of the interpreter


def luminance(color: Any) -> float:
    """Relative luminance, WCAG 2."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Any, other: Any) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_texts_stand_out_from_their_ground(look: str) -> None:
    from demo_app.ui.theme import MARKS, TINT, VERDICTS, Theme

    theme = Theme()
    theme.look = look
    white = (1, 1, 1, 1)
    pairs = [
        (theme.ink, theme.surface),
        (theme.ink, theme.background),
        (theme.ink, theme.pressed),
        (theme.muted, theme.surface),
        (theme.muted, theme.background),
        (theme.problem, theme.surface),
        (theme.rail_ink, theme.rail),
        (white, theme.rail_active),
        (white, theme.primary),
        *VERDICTS.values(),
    ]
    for status in ("ng", "unreadable"):
        mark = MARKS[look][status]
        tinted = [TINT * m + (1 - TINT) * s for m, s in zip(mark, theme.surface, strict=True)]
        pairs += [(mark, theme.surface), (mark, tinted), (theme.ink, tinted)]
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


def show_sample(run_app: RunApp, settings: Settings, tmp_path: Path, name: str) -> Robot:
    """Shows the verdict on one of the samples."""
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(SAMPLES / name, folder)
    robot = run_app(settings.changed(camera=str(folder)))
    robot.app.work.single_shot()
    robot.wait(lambda: robot.app.page.band.status != "waiting")
    robot.settle()
    return robot


def in_view(widget: Any, page: Any) -> bool:
    """Whether a row of the list is seen as a whole."""
    _, bottom = widget.to_window(*widget.pos)
    scroll = page.rows.parent
    return bool(bottom >= scroll.y - 1 and bottom + widget.height <= scroll.top + 1)


@pytest.mark.parametrize(
    ("name", "reason", "rows"),
    [
        ("01-good.jpg", "", 4),
        ("03-expired.jpg", "2019-03-31 too early", 4),
        ("05-no-lot.jpg", "LOT missing", 5),
        ("07-wrong-number.jpg", "Check digit wrong", 4),
        ("08-smeared.jpg", "No text", 1),
    ],
)
def test_reason_is_large_and_all_lines_are_seen(
    run_app: RunApp, settings: Settings, tmp_path: Path, name: str, reason: str, rows: int
) -> None:
    robot = show_sample(run_app, settings, tmp_path, name)
    live = robot.app.page
    label = live.band.ids.reason
    assert label.text == reason
    assert label.font_size >= 24
    assert label.texture_size[1] <= label.height
    # of a smeared print, doubtful characters may be read
    assert len(live.rows.children) == rows + len(doubtful_lines(robot))
    assert all(in_view(row, live) for row in live.rows.children)


RED = (237, 28, 36)


def distance(one: Any, other: Any) -> int:
    return max(abs(int(a) - int(b)) for a, b in zip(one, other, strict=True))


def box_color(robot: Robot, text: str) -> tuple[int, int, int]:
    """Returns the color of the box around a line of the picture: of its left side."""
    photo = robot.app.page.photo
    box = next(box for box in photo.boxes if box.text == text)
    x, y, width, height = photo.frame()
    left = (box.quad[0][0] + box.quad[3][0]) / 2, (box.quad[0][1] + box.quad[3][1]) / 2
    at_y = y + (1 - left[1]) * height
    colors = [
        robot.pixel(photo, ((x + left[0] * width + dx - photo.x) / photo.width,
                            (at_y - photo.y) / photo.height))
        for dx in range(-4, 2)
    ]  # fmt: skip
    return min(colors, key=lambda color: distance(color, RED))


def test_broken_line_is_red_on_the_picture_and_in_the_list(
    run_app: RunApp, settings: Settings, tmp_path: Path
) -> None:
    robot = show_sample(run_app, settings, tmp_path, "03-expired.jpg")
    live = robot.app.page
    assert distance(box_color(robot, "EXP 2019-03-31"), RED) < 40
    assert distance(box_color(robot, "LOT 26A417"), RED) > 100
    broken, *others = live.rows.children[::-1]
    assert (broken.text, broken.mark) == ("EXP 2019-03-31", "ng")
    assert broken.reason.startswith("2019-03-31 is before 20")
    red = robot.app.theme.marks["ng"]
    # the frame of the cut-out, and the background of the row
    crop = broken.ids.crop
    edge = robot.pixel(crop, (0.0, 0.5))
    assert distance(edge, [255 * c for c in red[:3]]) < 60
    background = robot.pixel(broken, (0.97, 0.2))
    assert background[0] > background[1] + 12
    plain = robot.pixel(others[0], (0.97, 0.5))
    assert plain[0] < plain[1]


def test_missing_line_is_a_red_row(run_app: RunApp, settings: Settings, tmp_path: Path) -> None:
    robot = show_sample(run_app, settings, tmp_path, "05-no-lot.jpg")
    missing = robot.app.page.rows.children[-1]
    assert (missing.text, missing.mark) == ("LOT missing", "ng")
    assert missing.ids.crop.texture is None
    background = robot.pixel(missing, (0.97, 0.5))
    assert background[0] > background[1] + 12


def test_reasons_follow_the_language(run_app: RunApp, settings: Settings, tmp_path: Path) -> None:
    robot = show_sample(run_app, settings, tmp_path, "05-no-lot.jpg")
    app = robot.app
    robot.go("settings")
    app.work.settings = app.work.settings.changed(language="de")
    app.take_settings()
    robot.go("live")
    assert app.page.band.reason == "LOT fehlt"
    assert app.page.rows.children[-1].text == "LOT fehlt"
    history = robot.go("history")
    assert history.rows.children[0].text == "LOT fehlt"
    history.open(app.work.history.rows()[0].record.id)
    robot.settle()
    assert history.side.children[0].reasons.startswith("Zeilen: 3 statt 4")


def test_history_leads_with_the_reason(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    robot.app.work.start()
    robot.wait(lambda: robot.app.work.live.view.state == "ended")
    page = robot.go("history")
    assert [row.text for row in page.rows.children] == [
        "OK",
        "OK",
        "2019-03-31 too early",
        "OK",
        "LOT missing",
        "OK",
        "Check digit wrong",
        "No text",
    ]
    page.ids.search.text = "2019"
    robot.wait(lambda: len(page.rows.children) == 1)
    assert page.rows.children[0].detail.endswith(" · EXP 2019-03-31")


def test_new_shift_is_asked_for(run_app: RunApp, settings: Settings, tmp_path: Path) -> None:
    robot = show_sample(run_app, settings, tmp_path, "01-good.jpg")
    live = robot.app.page
    assert (live.ok, live.share_ok) == (1, "100 %")
    cancel, begin = 1, 0
    robot.tap(live.ids.shift)
    robot.tap(robot.sheet().actions.children[cancel])
    assert live.ok == 1
    robot.tap(live.ids.shift)
    robot.tap(robot.sheet().actions.children[begin])
    robot.wait(lambda: live.ok == 0)
    assert live.share_ok == "\N{EN DASH}"
    assert robot.app.work.history.count() == 1


def test_labels_cover_no_line_and_no_other_label(run_app: RunApp, settings: Settings) -> None:
    robot = run_app(settings)
    photo = robot.go("still").photo
    left, bottom, right, top = photo.x, photo.y, photo.right, photo.top
    # lines one close below the other, across the whole view
    lines = [(left + 10, bottom + 20 + 24 * i, right - 10, bottom + 40 + 24 * i) for i in range(5)]
    assert photo._free_place(lines[2], 80, 18, lines) is None
    above = photo._free_place(lines[4], 80, 18, lines)
    assert above is not None and above[1] > lines[4][3]
    assert photo._free_place(lines[4], 80, 18, [*lines, above]) is None
    short = (left + 10, top - 40, left + 60, top - 20)
    behind = photo._free_place(short, 80, 18, [short])
    assert behind is not None and behind[0] > short[2]
