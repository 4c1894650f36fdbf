"""Basler cameras, with pylon and the camera emulator that comes with it: no camera is needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from sdk.errors import OptionError
from sdk.live.camera import Camera, CameraError, Frame, make_camera, open_camera
from sdk.live.grabber import Grabber
from tests.cameras import gray, wait_until

pytest.importorskip("pypylon.pylon", reason="needs pypylon")

FIRST, SECOND = "basler:0815-0000", "basler:0815-0001"


@pytest.fixture(autouse=True)
def two_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYLON_CAMEMU", "2")


@pytest.fixture
def camera() -> Iterator[Camera]:
    opened = open_camera(f"{FIRST}?region=0,0,320,240")
    yield opened
    opened.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Pictures that the emulator plays, one after the other."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(3):
        picture = gray(50 + 50 * i, 160, 120)
        picture[..., 0] = 250
        Image.fromarray(picture).save(folder / f"{i}.png")
    return folder


def read(camera: Camera) -> Frame:
    frame = camera.read(20)
    assert frame is not None
    return frame


def test_frames(camera: Camera) -> None:
    assert camera.live
    assert not camera.stills
    first, second = read(camera), read(camera)
    assert first.image.shape == (240, 320, 3)
    assert first.image.dtype.name == "uint8"
    assert (first.index, second.index) == (0, 1)
    assert first.time < second.time
    assert first.image.std() > 10  # a gradient


def test_pictures_of_a_folder(pictures: Path) -> None:
    settings = "PixelFormat=RGB8Packed&ImageFileMode=On&TestImageSelector=Off"
    camera = make_camera(f"{SECOND}?{settings}&region=0,0,160,120&trigger=software")
    camera.configure(ImageFilename=str(pictures))
    camera.open()
    found = []
    for _ in range(4):
        camera.trigger()
        found.append(tuple(int(v) for v in read(camera).image[60, 80]))
    camera.close()
    assert found == [(250, 50, 50), (250, 100, 100), (250, 150, 150), (250, 50, 50)]


def test_exposure_gain_and_region_are_set_and_told(camera: Camera) -> None:
    camera.configure(exposure_us=2500, gain=6, region=(16, 32, 640, 480))
    told = camera.properties()
    assert told["exposure_us"] == 2500
    assert told["gain"] == pytest.approx(6, abs=0.01)
    assert told["region"] == (16, 32, 640, 480)
    assert (told["width"], told["height"]) == (640, 480)
    assert (told["model"], told["serial"]) == ("Emulation", "0815-0000")
    assert read(camera).image.shape == (480, 640, 3)


def test_settings_are_made_again_when_it_is_opened_again(camera: Camera) -> None:
    camera.configure(exposure_us=1234)
    camera.close()
    assert camera.properties() == {}
    other = open_camera(f"{FIRST}?exposure_us=9999")  # someone else uses it in between
    other.close()
    camera.open()
    assert camera.properties()["exposure_us"] == 1234
    assert camera.properties()["region"] == (0, 0, 320, 240)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exposure_us": 1e9}, "does not take ExposureTime 1e.09. Give 1 to 1e.07"),
        ({"gain": -3}, "does not take Gain -3. Give 0 to 48"),
        ({"gain": "much"}, "does not take gain 'much'"),
        ({"region": (4000, 0, 640, 480)}, "is not within the sensor's 4096 x 4096 pixels"),
        ({"region": (0, 0, 640)}, r"does not take region \(0, 0, 640\)"),
        ({"trigger": "sometimes"}, "trigger is 'sometimes'. Give one of off, software, hardware"),
        ({"Sharpness": 3}, "has no feature 'Sharpness'"),
        ({"trigger": "software", "Sharpness": 3}, "has no feature 'Sharpness'"),
        ({"PixelFormat": "Pink8"}, "does not take PixelFormat 'Pink8'"),
    ],
)
def test_settings_it_does_not_take(
    camera: Camera, settings: dict[str, object], message: str
) -> None:
    before = camera.properties()
    with pytest.raises(OptionError, match=message):
        camera.configure(**settings)
    assert camera.properties() == before
    assert read(camera).image.shape == (240, 320, 3)


def test_wrong_setting_of_the_source_is_told_when_opening() -> None:
    camera = make_camera(f"{FIRST}?gain=1000")
    with pytest.raises(OptionError, match="Give 0 to 48"):
        camera.open()
    assert camera.properties() == {}


def test_software_trigger_gives_one_frame_each(camera: Camera) -> None:
    with pytest.raises(CameraError, match="its trigger is not software"):
        camera.trigger()
    camera.configure(trigger="software")
    assert (camera.live, camera.stills) == (False, True)
    assert camera.properties()["trigger"] == "software"
    assert camera.read(0.2) is None
    for _ in range(5):  # none is lost, however late they are read
        camera.trigger()
    frames = [read(camera) for _ in range(5)]
    assert [frame.index for frame in frames] == list(range(5))
    assert camera.read(0.2) is None
    camera.configure(trigger="off")
    assert camera.live
    assert read(camera).index == 5


def test_frames_that_do_not_arrive_are_counted(
    camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    camera.configure(trigger="software", ForceFailedBufferCount=2)
    camera._camera.GetNodeMap().GetNode("ForceFailedBuffer").Execute()
    for _ in range(3):
        camera.trigger()
    assert read(camera).index == 0
    assert camera.read(0.2) is None
    assert camera.properties()["lost_frames"] == 2
    assert "lost 1 frames, 2 since it was opened" in caplog.text
    camera.configure(exposure_us=500)  # numbers begin anew, which is no loss
    camera.trigger()
    read(camera)
    assert camera.properties()["lost_frames"] == 2


def test_triggered_more_often_than_read_is_refused(camera: Camera) -> None:
    camera.configure(trigger="software")
    with pytest.raises(CameraError, match="it is not ready"):
        for _ in range(100):
            camera.trigger()
    count = 0
    while camera.read(0.3) is not None:
        count += 1
    assert count >= 10


def test_hardware_trigger_waits_for_its_line(camera: Camera) -> None:
    camera.configure(trigger="hardware")
    assert camera.read(0.2) is None
    with pytest.raises(CameraError, match="software"):
        camera.trigger()


def test_settings_change_while_another_thread_reads(camera: Camera) -> None:
    sizes = set()
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            frame = camera.read(0.2)
            if frame is not None:
                sizes.add(frame.image.shape[:2])

    thread = threading.Thread(target=run)
    thread.start()
    for width in (160, 320, 640):
        camera.configure(region=(0, 0, width, 200))
        wait_until(lambda width=width: (200, width) in sizes)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_several_cameras_at_once(pictures: Path) -> None:
    with (
        make_camera(f"{FIRST}?region=0,0,160,120") as first,
        make_camera(f"{SECOND}?region=0,0,320,240") as second,
    ):
        assert (read(first).image.shape, read(second).image.shape) == (
            (120, 160, 3),
            (240, 320, 3),
        )
        assert first.properties()["serial"] != second.properties()["serial"]


def test_which_camera() -> None:
    with pytest.raises(CameraError, match=r"several Basler cameras: 0815-0000 .*0815-0001"):
        open_camera("basler")
    with pytest.raises(CameraError, match=r"Cannot find Basler camera 77: .* 0815-0000"):
        open_camera("basler:77")
    os.environ["PYLON_CAMEMU"] = "1"
    with make_camera("basler") as camera:
        assert camera.properties()["serial"] == "0815-0000"
    os.environ["PYLON_CAMEMU"] = "0"
    with pytest.raises(CameraError, match="the cameras found are none"):
        open_camera("basler")


def test_unplugged_and_plugged_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = make_camera(f"{FIRST}?region=0,0,320,240&exposure_us=777")
    states: list[tuple[str, str]] = []
    grabber = Grabber(camera, on_state=lambda *s: states.append(s), first_retry_s=0.05)
    assert grabber.latest(30) is not None
    # the emulator has no plug: its device is destroyed, and it is not found any more
    monkeypatch.setenv("PYLON_CAMEMU", "0")
    camera._camera.DestroyDevice()
    wait_until(lambda: len(states) == 2)
    assert states[1][0] == "lost"
    while grabber.latest(0.2) is not None:
        pass
    monkeypatch.setenv("PYLON_CAMEMU", "2")
    frame = grabber.latest(30)
    assert frame is not None
    assert frame.image.shape == (240, 320, 3)
    assert camera.properties()["exposure_us"] == 777
    assert [state for state, _ in states] == ["open", "lost", "open"]
    grabber.close()
