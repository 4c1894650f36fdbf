from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demo_app.models.live import LiveModel
from demo_app.models.picture import MARK_COLORS
from demo_app.models.product import CROP_SIZE, pad_crop
from demo_app.models.settings import SAMPLES
from demo_app.models.shift import Shift
from sdk import Reader, load_image
from sdk.live.camera import Frame
from sdk.results import Reading
from sdk.station import Inspection, judge, load_job

JOB = load_job(SAMPLES / "steripad.toml")


def inspect(reader: Reader, name: str) -> Inspection:
    image = load_image(SAMPLES / name)
    reading = reader.read(image)
    return Inspection(Frame(image, 0, 0.0, name), reading, 50.0, judge(JOB, reading), 7, True)


@pytest.fixture(scope="module")
def good(reader: Reader) -> Inspection:
    return inspect(reader, "01-good.jpg")


@pytest.fixture(scope="module")
def expired(reader: Reader) -> Inspection:
    return inspect(reader, "03-expired.jpg")


def without_verdict(seen: Inspection) -> Inspection:
    return replace(seen, verdict=None, record=None, is_new=False)


def test_new_model_waits() -> None:
    view = LiveModel(Shift(0.0)).view
    assert (view.status, view.picture, view.rows, view.record) == ("waiting", None, (), None)


def test_frame_is_reduced_to_what_the_screen_needs(good: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.view_size = (400, 400)
    model.on_frame(good)
    view = model.view
    assert view.picture is not None and view.picture.shape == (300, 400, 3)
    assert len(view.boxes) == len(view.rows) == len(good.reading)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for box in view.boxes for x, y in box.quad)
    assert model.latest is not None and model.latest[0].image is good.frame.image


def test_lines_are_cut_out_at_one_size(good: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_frame(good)
    width, height = CROP_SIZE
    for row in model.view.rows:
        assert row.crop.shape == (height, width, 3)
        assert 0 < row.used <= 1


def test_broken_line_comes_first_and_is_marked(expired: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_frame(expired)
    view = model.view
    assert (view.status, view.record) == ("ng", 7)
    assert [row.mark for row in view.rows] == ["ng", "ok", "ok", "ok"]
    assert view.rows[0].text == "EXP 2019-03-31"
    assert [result.rule for result in view.rows[0].broken] == ["date"]
    strong = {box.text: box.color for box in view.boxes if box.is_strong}
    assert strong == {"EXP 2019-03-31": MARK_COLORS["ng"]}


def test_view_is_never_changed_once_given_out(good: Inspection, expired: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_frame(good)
    before = model.view
    texts = [row.text for row in before.rows]
    model.on_frame(expired)
    assert model.view is not before
    assert [row.text for row in before.rows] == texts


def test_products_are_counted_once(good: Inspection, expired: Inspection) -> None:
    model = LiveModel(Shift(5.0, ok=2))
    model.on_frame(good)
    model.on_frame(replace(good, is_new=False))  # the same one, still in view
    model.on_frame(expired)
    assert model.view.shift == Shift(5.0, ok=3, ng=1)
    model.reset()  # such as for another camera
    assert model.view.shift == Shift(5.0, ok=3, ng=1)
    model.begin_shift(Shift(9.0))
    model.on_frame(expired)
    assert model.view.shift == Shift(9.0, ng=1)


def test_pace_is_of_the_last_minute(good: Inspection, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("demo_app.models.live.time.monotonic", lambda: now)
    model = LiveModel(Shift(0.0))
    assert model.pace() == 0.0
    for _ in range(100):
        model.on_frame(good)
        assert model.pace() == pytest.approx(30 if now > 1000 else 0)
        now += 2.0
    now += 58.0
    assert model.pace() == 0.0


def test_problem_of_the_history_stays_until_it_works_again(good: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_state("history", "the disk is full")
    model.on_frame(good)
    assert model.view.problem == "the disk is full"
    model.on_state("history", "")
    assert model.view.problem == ""


def test_problem_of_a_picture_goes_with_the_next(good: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_state("error", "cannot read a frame")
    assert model.view.problem == "cannot read a frame"
    model.on_frame(good)
    assert model.view.problem == ""


def test_picture_that_cannot_be_read_gets_no_other_verdict(good: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_state("open", "")
    model.on_frame(good)
    model.on_state("error", "cannot read a frame")
    view = model.view
    assert (view.status, view.picture, view.rows, view.record) == ("waiting", None, (), None)
    assert (view.problem, view.state) == ("cannot read a frame", "open")


def test_product_that_has_left_stays_for_a_while(good: Inspection, expired: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_frame(good)
    shown = model.view
    model.on_frame(without_verdict(expired))
    assert model.view is shown
    assert model.latest is not None and model.latest[0] is expired.frame
    model.hold_s = 0.0
    model.on_frame(without_verdict(expired))
    assert model.view.status == "waiting"
    assert {row.mark for row in model.view.rows} == {""}
    assert {row.text for row in model.view.rows} == set(expired.reading.texts)


def test_lost_camera_is_told_with_its_reason() -> None:
    model = LiveModel(Shift(0.0))
    model.on_state("lost", "no frame for 15 s")
    assert (model.view.state, model.view.message) == ("lost", "no frame for 15 s")


def test_reset_forgets(good: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_frame(good)
    model.reset()
    assert model.view.picture is None and model.latest is None


def test_empty_reading_clears_the_lines(good: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    model.on_frame(good)
    model.on_frame(replace(good, reading=Reading((), 800, 600)))
    assert model.view.rows == () and model.view.boxes == ()


def test_frames_and_views_from_two_threads_agree(good: Inspection, expired: Inspection) -> None:
    model = LiveModel(Shift(0.0))
    stop = threading.Event()

    def feed() -> None:
        while not stop.is_set():
            model.on_frame(good)
            model.on_frame(expired)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        for _ in range(200):
            view = model.view
            assert len(view.boxes) == len(view.rows)
            assert {box.text for box in view.boxes} == {row.text for row in view.rows}
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("shape", [(48, 60), (48, 576), (48, 1152), (1, 1)])
def test_strips_fit_their_ground(shape: tuple[int, int]) -> None:
    crop = np.full((*shape, 3), 200, np.uint8)
    padded, used = pad_crop(crop)
    assert padded.shape == (CROP_SIZE[1], CROP_SIZE[0], 3)
    assert used == pytest.approx(min(1.0, shape[1] / CROP_SIZE[0]))


def test_samples_read_as_their_job_expects(reader: Reader) -> None:
    found = {p.stem: judge(JOB, reader.read(p)).status for p in sorted(SAMPLES.glob("*.jpg"))}
    wanted = {"good": "ok", "smeared": "unreadable"}
    assert len(found) == 8
    assert found == {name: wanted.get(name[3:], "ng") for name in found}


def test_samples_are_small_and_as_drawn() -> None:
    from demo_app.samples.draw import LABELS, draw_picture

    pictures = sorted(Path(SAMPLES).glob("*.jpg"))
    assert [path.stem for path in pictures] == [label.name for label in LABELS]
    assert sum(path.stat().st_size for path in pictures) < 300_000
    drawn = draw_picture(LABELS[0], 0).astype(int)
    # the file holds what JPEG left of the drawing
    assert np.abs(drawn - load_image(pictures[0])).mean() < 3
