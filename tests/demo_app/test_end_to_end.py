"""A shift at the station, by touch: teach a job, find the bad product, correct it, export."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo_app.models.settings import Settings
from sdk.station import load_job

GREEN, RED = (20, 122, 59), (193, 34, 42)


def close_to(color: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(color, wanted, strict=True)) <= 6


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """Asks the file itself, as another program would."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_a_shift_by_touch(run_app: Callable[[Settings], Any], belt: Path, tmp_path: Path) -> None:
    database = tmp_path / "shift.db"
    settings = Settings().changed(
        camera=f"{belt}?loop&fps=2", threads=1, history=str(database), look="dark"
    )
    robot = run_app(settings)
    app, live = robot.app, robot.app.page
    assert app.page_name == "live"
    assert live.band.status == "waiting"

    # one good product, to teach the job from
    robot.tap(live.ids.shot)
    robot.wait(lambda: live.band.status == "ok")
    assert live.photo.texture is not None
    assert not app.work.running
    assert close_to(robot.pixel(live.band, (0.1, 0.1)), GREEN)
    assert robot.pixel(live.photo, (0.5, 0.5)) != robot.pixel(live.photo, (0.02, 0.5))
    robot.tap(live.ids.teach)
    assert app.page_name == "jobs"
    kinds = [rule.kind for rule in app.work.jobs.draft.fields[0].rules]
    assert kinds == ["text", "check_digit", "pattern", "date"]
    robot.tap(app.page.ids.save)
    assert app.work.job_name == "Product 1"
    assert load_job(tmp_path / "jobs" / "product-1.toml").lines == 4

    # the belt runs until a bad product comes
    robot.tap(app.root.rail.children[-1])
    assert app.page_name == "live"
    robot.tap(live.ids.start)
    assert app.work.running
    robot.wait(lambda: live.band.status == "ng")
    robot.tap(live.ids.start)
    assert not app.work.running
    robot.wait(lambda: live.band.status == app.work.live.view.status)
    shown = live.band.status
    assert close_to(robot.pixel(live.band, (0.1, 0.1)), RED if shown == "ng" else GREEN)

    # the bad product is found in the history and corrected
    (bad,) = rows(database, "SELECT max(id) FROM records WHERE status = 'ng'")[0]
    app.open_record(bad)
    robot.settle()
    history = app.page
    assert app.page_name == "history"
    panel = history.side.children[0]
    assert panel.mark == "ng"
    assert close_to(robot.pixel(panel.ids.photo, (0.01, 0.5)), (8, 9, 10))
    robot.tap(panel.ids.correction, (0.5, 0.9))
    assert panel.ids.correction.focus
    panel.ids.correction.select_all()
    robot.type("STERIPAD")
    robot.tap(panel.ids.save)
    assert rows(database, f"SELECT correction FROM records WHERE id = {bad}") == [("STERIPAD",)]

    # all of it goes to a table
    robot.tap(history.ids.export)
    robot.tap(robot.sheet().body.children[-1])
    robot.wait(lambda: list((tmp_path / "exports").glob("*.csv")))
    (file,) = (tmp_path / "exports").glob("*.csv")
    with file.open(encoding="utf-8", newline="") as opened:
        table = list(csv.DictReader(opened))
    assert len(table) == rows(database, "SELECT count(*) FROM records")[0][0]
    assert [row["correction"] for row in table if int(row["id"]) == bad] == ["STERIPAD"]
    assert {row["status"] for row in table} >= {"ok", "ng"}


def test_the_demo_shows_every_verdict_and_keeps_them(
    run_app: Callable[[Settings], Any], belt: Path, tmp_path: Path
) -> None:
    robot = run_app(Settings().changed(camera=str(belt), threads=1, job="Steripad"))
    live = robot.app.page
    seen = set()

    def look() -> bool:
        seen.add(live.band.status)
        return live.state_text == "All pictures are read"

    robot.tap(live.ids.start)
    robot.wait(look)
    assert seen >= {"ok", "ng", "unreadable"}
    assert (live.ok, live.ng, live.unreadable) == (4, 3, 1)
    found = rows(tmp_path / "history.db", "SELECT status FROM records ORDER BY id")
    wanted = ["ok", "ok", "ng", "ok", "ng", "ok", "ng", "unreadable"]
    assert [status for (status,) in found] == wanted
