from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from demo_app.models.live import STRIP_SIZE, LiveModel, pad_strip
from demo_app.models.settings import SAMPLES
from sdk import Reader, load_image
from sdk.camera import Frame
from sdk.results import Reading
from sdk.station import judge, load_job

Seen = tuple[Frame, Reading]


@pytest.fixture(scope="module")
def good(reader: Reader) -> Seen:
    image = load_image(SAMPLES / "01-good.jpg")
    return Frame(image, 0, 0.0, "01-good.jpg"), reader.read(image)


@pytest.fixture(scope="module")
def expired(reader: Reader) -> Seen:
    image = load_image(SAMPLES / "03-expired.jpg")
    return Frame(image, 1, 0.0, "03-expired.jpg"), reader.read(image)


def test_new_model_waits() -> None:
    view = LiveModel().view
    assert (view.status, view.picture, view.lines, view.record) == ("waiting", None, (), None)


def test_frame_is_reduced_to_what_the_screen_needs(good: Seen) -> None:
    model = LiveModel()
    model.view_size = (400, 400)
    model.on_frame(*good, 50.0)
    view = model.view
    assert view.picture is not None and view.picture.shape == (300, 400, 3)
    assert len(view.boxes) == len(view.lines) == len(good[1])
    assert all(0 <= x <= 1 and 0 <= y <= 1 for box in view.boxes for x, y in box.quad)
    assert model.latest is not None and model.latest[0].image is good[0].image


def test_lines_are_cut_out_at_one_size(good: Seen) -> None:
    model = LiveModel()
    model.on_frame(*good, 50.0)
    width, height = STRIP_SIZE
    for row in model.view.lines:
        assert row.strip.shape == (height, width, 3)
        assert 0 < row.used <= 1


def test_broken_rules_come_first_and_mark_their_lines(expired: Seen) -> None:
    model = LiveModel()
    model.on_frame(*expired, 50.0)
    job = load_job(SAMPLES / "steripad.toml")
    model.on_verdict(judge(job, expired[1]), 7)
    view = model.view
    assert (view.status, view.record) == ("ng", 7)
    assert view.rules[0].mark == "ng" and "2019-03-31" in view.rules[0].reason
    assert [row.mark for row in view.rules[1:]] == ["ok"] * 4
    assert view.lines[0].text == "EXP 2019-03-31" and view.lines[0].mark == "ng"


def test_view_is_never_changed_once_given_out(good: Seen, expired: Seen) -> None:
    model = LiveModel()
    model.on_frame(*good, 50.0)
    before = model.view
    texts = [row.text for row in before.lines]
    model.on_frame(*expired, 50.0)
    assert model.view is not before
    assert [row.text for row in before.lines] == texts


def test_times_are_running_means(good: Seen) -> None:
    model = LiveModel()
    model.on_frame(*good, 100.0)
    assert model.view.ms == 100.0
    model.on_frame(*good, 200.0)
    assert 100.0 < model.view.ms < 200.0
    assert model.view.rate > 0


def test_problem_of_the_history_stays_until_it_works_again(good: Seen) -> None:
    model = LiveModel()
    model.on_state("history", "the disk is full")
    model.on_frame(*good, 50.0)
    assert model.view.problem == "the disk is full"
    model.on_state("history", "")
    assert model.view.problem == ""


def test_problem_of_a_picture_goes_with_the_next(good: Seen) -> None:
    model = LiveModel()
    model.on_state("error", "cannot read a frame")
    assert model.view.problem == "cannot read a frame"
    model.on_frame(*good, 50.0)
    assert model.view.problem == ""


def test_lost_camera_is_told_with_its_reason() -> None:
    model = LiveModel()
    model.on_state("lost", "no frame for 15 s")
    assert (model.view.state, model.view.message) == ("lost", "no frame for 15 s")


def test_reset_forgets(good: Seen) -> None:
    model = LiveModel()
    model.on_frame(*good, 50.0)
    model.reset()
    assert model.view.picture is None and model.latest is None


def test_empty_reading_clears_the_lines(good: Seen) -> None:
    model = LiveModel()
    model.on_frame(*good, 50.0)
    model.on_frame(good[0], Reading((), 800, 600), 50.0)
    assert model.view.lines == () and model.view.boxes == ()


def test_frames_and_views_from_two_threads_agree(good: Seen, expired: Seen) -> None:
    model = LiveModel()
    stop = threading.Event()

    def feed() -> None:
        while not stop.is_set():
            model.on_frame(*good, 50.0)
            model.on_frame(*expired, 50.0)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        for _ in range(200):
            view = model.view
            assert len(view.boxes) == len(view.lines)
            assert {box.text for box in view.boxes} == {row.text for row in view.lines}
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("shape", [(48, 60), (48, 576), (48, 1152), (1, 1)])
def test_strips_fit_their_ground(shape: tuple[int, int]) -> None:
    strip = np.full((*shape, 3), 200, np.uint8)
    padded, used = pad_strip(strip)
    assert padded.shape == (STRIP_SIZE[1], STRIP_SIZE[0], 3)
    assert used == pytest.approx(min(1.0, shape[1] / STRIP_SIZE[0]))


def test_samples_read_as_their_job_expects(reader: Reader) -> None:
    job = load_job(SAMPLES / "steripad.toml")
    found = {p.stem: judge(job, reader.read(p)).status for p in sorted(SAMPLES.glob("*.jpg"))}
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
