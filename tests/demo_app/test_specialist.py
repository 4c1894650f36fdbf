"""A reader for one product: real trainings in the small, in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo_app.models import specialist
from demo_app.models.settings import Settings
from demo_app.models.workplace import Workplace
from sdk.errors import JobError, SdkError
from sdk.station import Job, load_job, save_job
from tests.demo_app.driver import Posted, Robot, wait_until

JOB = "Steripad"
SMALL = ("--lines", "24", "--held", "8")
# A training of seconds starts four times an interpreter with TensorFlow.
LONG_S = 1800.0


@pytest.fixture
def settings(belt: Path) -> Settings:
    return Settings().changed(camera=str(belt), threads=1, job=JOB, pictures="all")


@pytest.fixture
def work(tmp_path: Path, settings: Settings, posted: Posted) -> Iterator[Workplace]:
    """A station that has inspected all samples and kept their pictures."""
    place = Workplace(tmp_path, settings, posted)
    place.start()
    wait_until(lambda: not place.running)
    yield place
    place.close()


def correct(work: Workplace, record: int) -> None:
    work.history.choose(record)
    assert work.history.chosen is not None
    work.history.correct(work.history.chosen.verdict.reading.text)


def test_the_plan_names_pictures_and_patterns(work: Workplace) -> None:
    correct(work, 1)
    plan = work.plan_specialist(JOB)
    assert (plan.photos, plan.corrected) == (8, 1)
    # the job's own pattern of the lot, and patterns made of the texts
    (lot,) = (rule.pattern for rule in work.job.rules if rule.kind == "pattern")
    assert lot in plan.patterns and "STERIPAD" in plan.patterns
    assert len(plan.patterns) == len(set(plan.patterns)) <= 8


def test_what_is_missing_is_told(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(JobError, match="no job 'Milk'"):
        work.plan_specialist("Milk")
    save_job(Job("Milk"), work.jobs.folder / "milk.toml")
    with pytest.raises(SdkError, match="no full picture of Milk"):
        work.plan_specialist("Milk")
    monkeypatch.setattr(specialist, "NEEDED", (*specialist.NEEDED, "no_such_package"))
    with pytest.raises(SdkError, match=r"lacks: no_such_package.*pip install"):
        work.start_specialist(JOB, 1)
    assert work.specialist.state == "idle"


def test_a_training_that_is_stopped_leaves_nothing(work: Workplace, tmp_path: Path) -> None:
    work.specialist.options = SMALL
    work.start_specialist(JOB, 60)
    model = work.specialist
    assert model.state == "running" and model.job_name == JOB
    with pytest.raises(SdkError, match="running already"):
        work.start_specialist(JOB, 60)
    assert len(list((tmp_path / "specialist" / "photos" / "images").iterdir())) == 8
    wait_until(lambda: model.progress().message, patience_s=LONG_S)
    model.cancel()
    assert model.state == "idle" and not (tmp_path / "specialist").exists()


def test_an_error_of_the_training_is_shown(work: Workplace) -> None:
    work.specialist.options = (*SMALL, "--base", "nowhere")
    work.start_specialist(JOB, 1)
    wait_until(lambda: work.specialist.state != "running", patience_s=LONG_S)
    assert work.specialist.state == "failed"
    assert work.specialist.error.startswith("Cannot open the model bundle nowhere")
    work.specialist.discard()
    assert work.specialist.state == "idle"


def test_a_reader_is_made_compared_and_taken_over_by_touch(
    run_app: Callable[[Settings], Robot], settings: Settings, tmp_path: Path
) -> None:
    robot = run_app(settings)
    app = robot.app
    app.work.specialist.options = SMALL
    app.work.start()
    robot.wait(lambda: not app.work.running)
    correct(app.work, 1)
    jobs = robot.go("jobs")
    robot.tap(make_button(jobs))
    sheet = robot.sheet()
    assert JOB in sheet.title
    sheet.body.children[0].children[0].value = 0.05  # minutes
    robot.tap(button(sheet, "Start"))
    robot.wait(lambda: robot.sheet() is not sheet)
    assert app.work.specialist.state == "running"
    robot.tap(button(robot.sheet(), "Go on in the background"))
    robot.wait(lambda: app.work.specialist.state == "done", LONG_S)
    robot.wait(lambda: "has ended" in app.root.toast.text)

    # nothing is taken over before the comparison was seen
    assert load_job(tmp_path / "jobs" / "steripad.toml").model == ""
    scores = {score.name: score for score in app.work.specialist.scores()}
    assert scores["Generated lines"].lines == 8
    assert scores["Corrected pictures"].lines > 0
    robot.go("live")
    robot.tap(make_button(robot.go("jobs")))
    sheet = robot.sheet()
    texts = [label.text for row in sheet.body.children for label in row.children[::-1]]
    assert {"Generated lines", "Corrected pictures", "packaged", "new"} <= set(texts)
    robot.tap(button(sheet, "Take over"))
    job_file = tmp_path / "jobs" / "steripad.toml"
    robot.wait(lambda: load_job(job_file).model)
    assert load_job(job_file).model == "../models/steripad"
    robot.wait(lambda: app.work.jobs.draft.fields[0].model == "../models/steripad")
    assert app.work.specialist.state == "idle"
    made = tmp_path / "models" / "steripad"
    assert json.loads((made / "model.json").read_text())["detector_of"] == "default"
    app.work.single_shot()

    def newest_model() -> str:
        return str(app.work.history.history.search(limit=1)[0].verdict.reading.model)

    robot.wait(lambda: newest_model().startswith("steripad"))


def test_a_training_is_started_and_stopped_by_touch(
    run_app: Callable[[Settings], Robot], settings: Settings
) -> None:
    robot = run_app(settings)
    work = robot.app.work
    work.specialist.options = SMALL
    jobs = robot.go("jobs")
    robot.tap(make_button(jobs))
    # without a picture there is nothing to start
    assert "no full picture" in robot.sheet().body.children[0].text
    assert [child.text for child in robot.sheet().actions.children] == ["Close"]
    robot.tap(button(robot.sheet(), "Close"))
    work.start()
    robot.wait(lambda: not work.running)
    robot.tap(make_button(robot.go("jobs")))
    sheet = robot.sheet()
    robot.tap(button(sheet, "Start"))
    robot.wait(lambda: robot.sheet() is not sheet)
    assert work.specialist.state == "running"
    robot.tap(button(robot.sheet(), "Stop training"))
    robot.wait(lambda: work.specialist.state == "idle", LONG_S)
    jobs.create()
    robot.tap(make_button(jobs))
    assert "Save the job first." in robot.app.root.toast.text


def make_button(page: Any) -> Any:
    """Return the button that makes a reader."""
    from demo_app.screens.labeled import Labeled

    rows = [row for row in page.editor.children if isinstance(row, Labeled)]
    (row,) = (row for row in rows if row.text == "Own reader")
    page.ids.scroll.scroll_to(row)
    return row.children[0]


def button(sheet: Any, text: str) -> Any:
    (found,) = (child for child in sheet.actions.children if child.text == text)
    return found
