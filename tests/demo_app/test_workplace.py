from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from demo_app.models.history import PAGE, decode
from demo_app.models.settings import DEMO, SAMPLES, Screen, Settings, load_settings, save_settings
from demo_app.models.workplace import Workplace
from sdk import load_image
from sdk.errors import CameraError, JobError, OptionError, SdkError
from sdk.station import Job, save_job
from sdk.station.config import StationConfig
from tests.demo_app.driver import Posted, wait_until


def run_through(work: Workplace) -> None:
    """Inspects all pictures of the belt."""
    work.start()
    wait_until(lambda: work.live.view.state == "ended")


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    settings = Settings(StationConfig(camera="basler", threads=2), Screen("light", "de", True))
    save_settings(settings, tmp_path)
    assert load_settings(tmp_path) == settings


def test_new_folder_has_the_sample_pictures(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.get("camera") == DEMO and settings.get("look") == "dark"


def test_values_are_changed_by_name_in_either_file() -> None:
    settings = Settings().changed(camera="0", look="light")
    assert (settings.station.camera, settings.screen.look) == ("0", "light")
    with pytest.raises(OptionError, match="dark, light"):
        settings.changed(look="pink")
    with pytest.raises(JobError, match="pictures"):
        settings.changed(pictures="some")


def test_password_of_a_camera_is_not_shown(workplace: Workplace) -> None:
    workplace.settings = workplace.settings.changed(camera="rtsp://me:word@10.0.0.2/live")
    assert workplace.camera_name == "rtsp://me:***@10.0.0.2/live"


def test_belt_is_inspected_and_recorded(workplace: Workplace) -> None:
    run_through(workplace)
    counters = workplace.counters
    assert (counters["ok"], counters["ng"], counters["unreadable"]) == (4, 3, 1)
    assert workplace.history.count() == 8
    assert workplace.live.view.status == "unreadable"
    assert workplace.losses() == ""


def test_history_is_filtered_chosen_and_corrected(workplace: Workplace) -> None:
    run_through(workplace)
    model = workplace.history
    model.filter(status="ng", text="")
    assert [row.record.verdict.status for row in model.rows()] == ["ng"] * 3
    model.filter(status=None, text="26A42")
    assert model.count() == 2
    model.filter(status="ng", text="2019")
    (row,) = model.rows()
    assert row.thumbnail is not None and row.thumbnail.shape[2] == 3
    assert row.line_with("exp") == "EXP 2019-03-31"
    assert row.line_with("best before") == ""
    model.choose(row.record.id)
    picture = model.picture()
    assert picture is not None and picture.shape == (600, 800, 3)
    model.correct(" STERIPAD \n\nEXP 2019-03-31\n")
    assert model.chosen is not None and model.chosen.correction == "STERIPAD\nEXP 2019-03-31"
    model.correct("BEST BEFORE 2019-03-31")
    assert model.rows()[0].line_with("best") == "BEST BEFORE 2019-03-31"
    model.choose(None)
    with pytest.raises(OptionError, match="Tap one"):
        model.correct("A")


def test_damaged_picture_is_left_out() -> None:
    assert decode((SAMPLES / "01-good.jpg").read_bytes()[:1000]) is None
    assert decode(b"no JPEG") is None
    assert decode(None) is None


def test_every_export_is_written(workplace: Workplace) -> None:
    run_through(workplace)
    model = workplace.history
    ng = next(row for row in model.rows() if row.record.verdict.status == "ng")
    model.choose(ng.record.id)
    model.correct("STERIPAD")
    written = {kind: model.export(kind) for kind in ("csv", "json", "zip", "labels")}
    assert {kind: count for kind, (_, count) in written.items()} == {
        "csv": 8,
        "json": 8,
        "zip": 8,
        "labels": 1,
    }
    rows = json.loads(written["json"][0].read_text(encoding="utf-8"))
    assert [row["correction"] for row in rows if row["id"] == ng.record.id] == ["STERIPAD"]
    assert (written["labels"][0] / "labels.jsonl").exists()
    # another one in the same second overwrites nothing
    assert model.export("csv")[0] != written["csv"][0]


def test_pages_are_turned(workplace: Workplace) -> None:
    run_through(workplace)
    model = workplace.history
    model.turn(1)
    assert model.offset == PAGE and model.rows() == []
    model.turn(-2)
    assert model.offset == 0 and len(model.rows()) == 8


def test_statistics_add_up(workplace: Workplace) -> None:
    run_through(workplace)
    assert sum(hour.total for hour in workplace.history.by_hour()) == 8
    (job,) = workplace.history.by_job()
    assert (job.key, job.ok, job.ng, job.unreadable) == ("Steripad", 4, 3, 1)


def test_single_shots_take_one_picture_each(workplace: Workplace) -> None:
    for number in (1, 2):
        workplace.single_shot()
        wait_until(lambda wanted=number: workplace.history.count() == wanted)
    assert not workplace.running
    assert workplace.counters["frames"] == 2


def test_job_is_taught_from_what_was_read(workplace: Workplace) -> None:
    with pytest.raises(JobError, match="No text is read"):
        workplace.teach()
    workplace.single_shot()
    wait_until(lambda: workplace.live.latest)
    workplace.teach()
    workplace.save_job()
    assert workplace.job_name == "Product 1"
    assert load_settings(workplace.folder).get("job") == "Product 1"
    workplace.single_shot()
    wait_until(lambda: workplace.history.count() == 2)
    assert workplace.history.rows()[0].record.verdict.job == "Product 1"


def test_job_that_is_not_there_is_refused(workplace: Workplace) -> None:
    with pytest.raises(JobError, match="There is no job 'Soap'"):
        workplace.choose_job("Soap")
    assert workplace.job_name == "Steripad"


def test_job_with_a_missing_model_is_refused(workplace: Workplace) -> None:
    save_job(Job("Other", model="none"), workplace.jobs.folder / "other.toml")
    with pytest.raises(JobError, match=r"'Other' names the model 'none'.*installed bundles"):
        workplace.choose_job("Other")
    assert workplace.job_name == "Steripad"
    entry = next(e for e in workplace.jobs.entries() if e.name == "Steripad")
    before = entry.path.read_text()
    [part] = workplace.jobs.edit(entry).fields
    part.model = "none"
    with pytest.raises(JobError, match="names the model"):
        workplace.save_job()
    assert entry.path.read_text() == before


def test_job_is_taken_from_a_file(workplace: Workplace, tmp_path: Path) -> None:
    text = (SAMPLES / "steripad.toml").read_text(encoding="utf-8").replace("Steripad", "Gauze")
    (tmp_path / "other.toml").write_text(text, encoding="utf-8")
    workplace.take_job(str(tmp_path / "other.toml"))
    assert workplace.job_name == "Gauze"
    workplace.take_job("Steripad")
    assert workplace.job_name == "Steripad"


def test_deleted_job_leaves_any_text(workplace: Workplace) -> None:
    (entry,) = workplace.jobs.entries()
    workplace.delete_job(entry)
    assert workplace.job_name == "Any text"
    assert workplace.job.rules == ()


def test_still_is_read_corrected_and_kept(workplace: Workplace) -> None:
    still = workplace.still
    photo = still.load(SAMPLES / "03-expired.jpg", "03-expired.jpg")
    still.show(photo)
    assert len(still.boxes) == 4 and still.text.splitlines()[0] == "STERIPAD"
    with pytest.raises(OptionError, match="Tap one"):
        still.correct("A")
    still.choose(3)
    assert still.text == "EXP 2019-03-31"
    assert "".join(char.text for char in still.chars()) == still.text
    crop = still.crop()
    assert crop is not None and crop.shape[0] == 96
    with pytest.raises(OptionError, match="more than one line"):
        still.correct("A\nB")
    still.correct("EXP 2079-03-31 ")
    record = workplace.keep_photo(photo, "\n".join(still.texts))
    # corrected again, it stays one record
    still.correct("EXP 2029-03-31")
    again = workplace.keep_photo(photo, "\n".join(still.texts))
    assert again == record and workplace.history.count() == 1
    found = workplace.history.choose(record)
    assert found is not None and (found.correction or "").endswith("EXP 2029-03-31")


def test_photo_that_is_none_is_refused(workplace: Workplace, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture", encoding="utf-8")
    with pytest.raises(SdkError, match=r"text\.jpg"):
        workplace.still.load(tmp_path / "text.jpg", "text.jpg")
    assert workplace.still.photo is None


def test_other_camera_is_used_from_now_on(workplace: Workplace, tmp_path: Path) -> None:
    run_through(workplace)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(SAMPLES / "07-wrong-number.jpg", other)
    workplace.apply(workplace.settings.changed(camera=str(other), pictures="none"))
    wait_until(lambda: workplace.live.view.state == "ended")
    assert workplace.counters["ng"] == 1
    assert workplace.history.count() == 9
    assert not workplace.history.rows()[0].record.has_picture


@pytest.mark.parametrize("wrong", [{"model": "no/such/bundle"}, {"camera": "no/such/folder"}])
def test_settings_that_cannot_be_used_change_nothing(
    workplace: Workplace, wrong: dict[str, str]
) -> None:
    before = workplace.settings
    with pytest.raises(SdkError, match="no/such"):
        workplace.apply(before.changed(**wrong))
    assert workplace.settings == before
    assert not (workplace.folder / "station.toml").exists()
    assert workplace.still.load(SAMPLES / "01-good.jpg", "").reading.texts[0] == "STERIPAD"


def test_camera_that_is_not_there_is_said(workplace: Workplace, belt: Path) -> None:
    belt.rename(belt.with_name("gone"))
    with pytest.raises(CameraError, match="belt"):
        workplace.start()
    assert not workplace.running


def test_station_with_a_wrong_model_starts_with_the_packaged_one(
    tmp_path: Path, posted: Posted
) -> None:
    work = Workplace(tmp_path, Settings().changed(model="gone"), posted)
    try:
        assert len(work.warnings) == 1 and "gone" in work.warnings[0]
        assert any(name == "Model" and "fots-lite" in value for name, value in work.facts())
    finally:
        work.close()


def test_self_check_passes_here(workplace: Workplace) -> None:
    checks = {check.name: check for check in workplace.self_check()}
    assert checks["Reading the test picture"].mark == "ok"
    assert checks["History"].detail == "0 verdicts"
    assert checks["Camera"].mark == "unreadable"
    run_through(workplace)
    assert {c.name: c for c in workplace.self_check()}["History"].detail == "8 verdicts"


def test_outputs_are_listed_and_losses_are_said(tmp_path: Path, belt: Path, posted: Posted) -> None:
    save_settings(Settings().changed(camera=str(belt), threads=1, job="Steripad"), tmp_path)
    config = tmp_path / "station.toml"
    config.write_text(
        config.read_text(encoding="utf-8")
        + '[[outputs]]\nkind = "command"\nname = "lamp"\ncommand = ["false"]\n',
        encoding="utf-8",
    )
    work = Workplace(tmp_path, load_settings(tmp_path), posted)
    try:
        run_through(work)
        wait_until(work.losses)
        (row,) = work.outputs()
        assert row.name == "lamp" and row.sent == 0 and row.error
        assert work.losses().startswith("lamp: ")
    finally:
        work.close()


def test_background_brings_results_and_failures(workplace: Workplace, posted: Posted) -> None:
    got: list[object] = []
    workplace.background.run(lambda: 41 + 1, got.append, got.append)
    posted.run(lambda: got)
    assert got == [42]

    def fail() -> None:
        load_image("missing.jpg")

    workplace.background.run(fail, got.append, got.append)
    posted.run(lambda: len(got) == 2)
    assert "missing.jpg" in str(got[1])


def test_closing_twice_does_nothing(workplace: Workplace) -> None:
    workplace.close()
    workplace.close()


def test_belt_that_has_ended_can_be_started_again(workplace: Workplace) -> None:
    run_through(workplace)
    wait_until(lambda: not workplace.running)
    workplace.start()
    assert workplace.running
    wait_until(lambda: workplace.history.count() == 16)
