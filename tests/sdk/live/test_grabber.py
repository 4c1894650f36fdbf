"""The grabber: newest frame wins, nothing of a file is lost, a lost camera is opened again."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path

from PIL import Image

from sdk.live.camera import CameraBase, CameraError, Frame, make_camera
from sdk.live.grabber import Grabber
from tests.cameras import Conveyor, NetworkCameraServer, gray, wait_until, write_video

PICTURES = [gray(shade) for shade in range(20)]
States = list[tuple[str, str]]


def names(states: States) -> list[str]:
    return [state for state, _ in states]


def test_newest_frame_of_a_live_camera_wins() -> None:
    camera = Conveyor(PICTURES, free=False)
    grabber = Grabber(camera)
    camera.step(7)
    wait_until(lambda: camera.shown == 7 and grabber.dropped == 6)
    frame = grabber.latest(10)
    assert frame is not None
    assert frame.index == 6
    assert grabber.latest(0.05) is None  # each frame is handed out once
    camera.step()
    frame = grabber.latest(10)
    assert frame is not None
    assert frame.index == 7
    assert grabber.dropped == 6
    grabber.close()
    assert (camera.opened, camera.closed) == (1, 1)


def test_no_frame_of_a_file_is_lost(tmp_path: Path) -> None:
    video = write_video(tmp_path / "film.avi", [gray(10 * i) for i in range(20)])
    states: States = []
    grabber = Grabber(make_camera(video), on_state=lambda *state: states.append(state))
    shades = []
    while (frame := grabber.latest(10)) is not None:
        shades.append(round(frame.image.mean() / 10))
    assert shades == list(range(20))
    assert grabber.ended
    assert grabber.dropped == 0
    assert names(states) == ["open", "ended"]
    assert "has ended after 20 frames" in states[1][1]
    grabber.close()


def test_lost_camera_is_opened_again() -> None:
    camera = Conveyor(PICTURES, free=False)
    states: States = []
    grabber = Grabber(
        camera, on_state=lambda *state: states.append(state), first_retry_s=0.01, max_retry_s=0.02
    )

    def wait_for_state(state: str, count: int) -> None:
        wait_until(lambda: names(states).count(state) == count)

    for round_ in range(3):
        camera.step()
        frame = grabber.latest(10)
        assert frame is not None
        assert frame.index == round_
        camera.unplug()
        wait_for_state("lost", round_ + 1)
        assert grabber.latest(0.05) is None
        camera.plugged.set()
        wait_for_state("open", round_ + 2)
    grabber.close()
    assert names(states) == ["open", "lost"] * 3 + ["open"]
    assert {message for state, message in states if state == "lost"} == {
        "Lost the conveyor: it was unplugged."
    }


def test_camera_that_is_not_there_at_the_start_is_waited_for() -> None:
    camera = Conveyor(PICTURES)
    camera.unplug()
    states: States = []
    grabber = Grabber(camera, on_state=lambda *s: states.append(s), first_retry_s=0.01)
    wait_until(lambda: states)
    assert states == [("lost", "Cannot open the conveyor: it is not plugged in.")]
    camera.plugged.set()
    assert grabber.latest(30) is not None
    grabber.close()


def test_waits_double_up_to_the_longest() -> None:
    tries: list[float] = []

    class Absent(Conveyor):
        def open(self) -> None:
            tries.append(time.monotonic())
            raise CameraError("There is no conveyor.")

    states: States = []
    grabber = Grabber(
        Absent([]), on_state=lambda *s: states.append(s), first_retry_s=0.02, max_retry_s=0.08
    )
    wait_until(lambda: len(tries) == 6)
    grabber.close()
    waits = [after - before for before, after in pairwise(tries)]
    assert all(wait > least for wait, least in zip(waits, (0.02, 0.04, 0.08, 0.08), strict=False))
    assert states == [("lost", "There is no conveyor.")]  # told once


def test_live_camera_that_gives_nothing_is_opened_again() -> None:
    camera = Conveyor(PICTURES, free=False)
    states: States = []
    grabber = Grabber(
        camera, on_state=lambda *s: states.append(s), first_retry_s=0.01, stall_s=0.05
    )
    wait_until(lambda: camera.opened == 2)
    grabber.close()
    assert ("lost", "Lost the conveyor: no frame for 0.05 s.") in states


def test_folder_may_be_quiet_for_long(tmp_path: Path) -> None:
    states: States = []
    grabber = Grabber(
        make_camera(f"watch:{tmp_path}"), on_state=lambda *s: states.append(s), stall_s=0.01
    )
    assert grabber.latest(1) is None
    grabber.close()
    assert names(states) == ["open"]


def test_damaged_picture_is_told_and_the_others_read(tmp_path: Path) -> None:
    for name in "abc":
        Image.fromarray(gray(80)).save(tmp_path / f"{name}.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    states: States = []
    grabber = Grabber(make_camera(tmp_path), on_state=lambda *s: states.append(s))
    found = []
    while (frame := grabber.latest(10)) is not None:
        found.append(frame.name)
    grabber.close()
    assert found == ["a.png", "c.png"]
    assert names(states) == ["open", "skipped", "ended"]


class Broken(CameraBase):
    """A camera whose driver fails in ways nobody thought of."""

    def open(self) -> None:
        pass

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        raise ZeroDivisionError("deep in the driver")

    def close(self) -> None:
        raise MemoryError("and again")


def test_driver_that_fails_never_raises_here() -> None:
    states: States = []

    def on_state(state: str, message: str) -> None:
        states.append((state, message))
        raise RuntimeError("the listener fails too")

    grabber = Grabber(Broken("the broken camera"), on_state=on_state, first_retry_s=0.01)
    wait_until(lambda: names(states).count("open") >= 2)
    assert grabber.latest(0.05) is None
    grabber.close()
    assert states[1] == ("lost", "Lost the broken camera: deep in the driver")


def test_closing_wakes_who_waits() -> None:
    grabber = Grabber(Conveyor(PICTURES, free=False))
    got: list[object] = []
    waiting = threading.Thread(target=lambda: got.append(grabber.latest(60)))
    waiting.start()
    grabber.close()
    grabber.close()
    waiting.join(20)
    assert got == [None]


def test_network_camera_dies_and_comes_back() -> None:
    server = NetworkCameraServer()
    states: States = []
    grabber = Grabber(
        make_camera(server.url), on_state=lambda *s: states.append(s), first_retry_s=0.05
    )
    first = grabber.latest(30)
    assert first is not None
    assert first.image.shape == (48, 64, 3)
    server.stop()
    wait_until(lambda: names(states) == ["open", "lost"])
    assert "secret" not in states[1][1]
    assert "admin:***@127.0.0.1" in states[1][1]
    while grabber.latest(0.1) is not None:  # what was taken before it died
        pass
    server = NetworkCameraServer(server.port)
    again = grabber.latest(30)
    assert again is not None
    assert again.index > first.index
    assert again.time > first.time
    assert names(states) == ["open", "lost", "open"]
    grabber.close()
    server.stop()
