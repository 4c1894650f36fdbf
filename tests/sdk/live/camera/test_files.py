"""Video files and folders of pictures: every one, in order, with real files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdk.errors import ImageError, OptionError
from sdk.live.camera import Camera, CameraEnd, CameraError, Frame, make_camera, open_camera
from tests.cameras import gray, write_video

SHADES = [20, 60, 100, 140, 180, 220]


def read_all(camera: Camera) -> list[Frame]:
    frames = []
    with pytest.raises(CameraEnd):
        while True:
            frame = camera.read()
            assert frame is not None
            frames.append(frame)
    return frames


def shades(frames: list[Frame]) -> list[float]:
    return [float(frame.image.mean()) for frame in frames]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.avi", [gray(shade) for shade in SHADES], fps=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i, shade in enumerate(SHADES[:3]):
        Image.fromarray(gray(shade)).save(pictures / f"{i}.png")
    (pictures / "notes.txt").write_text("no picture")
    Image.fromarray(gray(0)).save(pictures / ".hidden.png")
    return pictures


def test_video_gives_every_frame_with_its_time(video: Path) -> None:
    before = time.time()
    camera = open_camera(video)
    assert not camera.live
    assert not camera.stills
    assert camera.properties() == {"width": 64, "height": 48, "fps": 10}
    frames = read_all(camera)
    assert shades(frames) == pytest.approx(SHADES, abs=4)
    assert [frame.index for frame in frames] == list(range(6))
    assert frames[0].image.dtype == np.uint8
    steps = np.diff([frame.time for frame in frames])
    assert steps[1:] == pytest.approx(0.1, abs=0.001)
    assert before <= frames[0].time <= time.time()
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match=r"film\.avi is not open"):
        camera.read()


def test_video_is_red_where_it_was_red(tmp_path: Path) -> None:
    red = gray(30)
    red[..., 0] = 220
    frames = read_all(open_camera(write_video(tmp_path / "red.avi", [red])))
    assert frames[0].image[24, 32] == pytest.approx([220, 30, 30], abs=8)


def test_video_that_loops_goes_on_counting(video: Path) -> None:
    with make_camera(f"{video}?loop") as camera:
        frames = [camera.read() for _ in range(8)]
    assert [frame.index for frame in frames if frame] == list(range(8))
    assert shades([frames[6], frames[7]]) == pytest.approx(SHADES[:2], abs=4)


def test_pace_holds_frames_back(video: Path) -> None:
    with make_camera(f"{video}?fps=0.01") as camera:
        assert camera.read(0.01) is not None
        assert camera.read(0.01) is None


def test_video_cut_short_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (20, 240, 320, 3), np.uint8)
    video = write_video(tmp_path / "film.avi", list(noise))
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])
    frames = read_all(open_camera(video))
    assert 5 < len(frames) < 15
    assert "of 20 frames: it is damaged or truncated" in caplog.text


def test_file_that_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"no film" * 100)
    with pytest.raises(CameraError, match="damaged, or this OpenCV"):
        open_camera(path)


def test_folder_gives_every_picture_by_name(folder: Path) -> None:
    os.utime(folder / "1.png", (1000, 1000))
    camera = open_camera(folder)
    assert not camera.live
    assert camera.stills
    assert camera.properties() == {"pictures": 3}
    frames = read_all(camera)
    assert [frame.name for frame in frames] == ["0.png", "1.png", "2.png"]
    assert shades(frames) == SHADES[:3]
    assert frames[1].time == 1000


def test_damaged_picture_is_told_and_passed(folder: Path) -> None:
    (folder / "1.png").write_bytes((folder / "1.png").read_bytes()[:60])
    camera = open_camera(folder)
    assert camera.read()
    with pytest.raises(ImageError, match=r"1\.png"):
        camera.read()
    assert [frame.name for frame in read_all(camera)] == ["2.png"]


def test_picture_removed_meanwhile_is_told(folder: Path) -> None:
    camera = open_camera(folder)
    (folder / "0.png").unlink()
    with pytest.raises(ImageError, match="no such file"):
        camera.read()
    assert len(read_all(camera)) == 2


def test_folder_that_loops(folder: Path) -> None:
    with make_camera(f"{folder}?loop") as camera:
        frames = [camera.read() for _ in range(4)]
    assert [frame.name for frame in frames if frame] == ["0.png", "1.png", "2.png", "0.png"]


def test_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="holds no picture files"):
        open_camera(tmp_path)


def test_folder_has_no_trigger_and_no_exposure(folder: Path) -> None:
    with make_camera(folder) as camera:
        with pytest.raises(CameraError, match="no software trigger"):
            camera.trigger()
        with pytest.raises(OptionError, match="has no setting 'exposure_us'"):
            camera.configure(exposure_us=100)


# Watched folders ----------------------------------------------------------------------------------


def read_soon(camera: Camera) -> Frame:
    for _ in range(100):
        frame = camera.read(0.3)
        if frame is not None:
            return frame
    raise AssertionError("no picture came")


def test_watched_folder_gives_what_arrives_once(folder: Path) -> None:
    with make_camera(f"watch:{folder}") as camera:
        assert camera.read(0.5) is None  # what was there is left alone
        Image.fromarray(gray(200)).save(folder / "new.png")
        frame = read_soon(camera)
        assert frame.name == "new.png"
        assert frame.image.mean() == 200
        assert camera.read(0.5) is None


def test_watched_folder_gives_what_arrives_in_order(folder: Path) -> None:
    with make_camera(f"watch:{folder}") as camera:
        for i, name in enumerate(("z.png", "y.png", "x.png")):
            Image.fromarray(gray(100 + i)).save(folder / name)
            os.utime(folder / name, (2000 + i, 2000 + i))
        assert [read_soon(camera).name for _ in range(3)] == ["z.png", "y.png", "x.png"]


def test_watched_folder_waits_for_the_end_of_a_file(folder: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)).save(
        folder / "whole.jpg"
    )
    with make_camera(f"watch:{folder}") as camera:
        data = (folder / "whole.jpg").read_bytes()
        for part in (0, 100, len(data) // 2, len(data) - 10):
            (folder / "part.jpg").write_bytes(data[:part])
            assert camera.read(0.6) is None, f"taken after {part} of {len(data)} bytes"
        (folder / "part.jpg").write_bytes(data)
        assert read_soon(camera).name == "part.jpg"


def test_watched_folder_reads_a_file_written_again(folder: Path) -> None:
    with make_camera(f"watch:{folder}") as camera:
        for shade in (50, 90):
            Image.fromarray(gray(shade)).save(folder / "latest.bmp")
            assert read_soon(camera).image.mean() == shade


def test_watched_folder_tells_a_file_that_stays_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdk.live.camera.folder.GIVE_UP_S", 0.5)
    with make_camera(f"watch:{folder}") as camera:
        (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff no picture")
        with pytest.raises(ImageError, match=r"bad\.jpg"):
            read_soon(camera)
        assert camera.read(0.5) is None
        Image.fromarray(gray(70)).save(folder / "good.png")
        assert read_soon(camera).name == "good.png"


def test_watched_folder_goes_away_and_comes_back(folder: Path) -> None:
    away = folder.with_name("away")
    camera = make_camera(f"watch:{folder}")
    camera.open()
    folder.rename(away)
    with pytest.raises(CameraError, match="No such file"):
        camera.read(0.1)
    camera.close()
    with pytest.raises(CameraError, match="No such file"):
        camera.open()
    Image.fromarray(gray(40)).save(away / "meanwhile.png")
    away.rename(folder)
    camera.open()
    assert read_soon(camera).name == "meanwhile.png"
    assert camera.read(0.5) is None


def test_watched_share_is_unmounted_and_mounted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = {folder.parent}
    monkeypatch.setattr("os.path.ismount", lambda path: path in mounted)
    camera = make_camera(f"watch:{folder}")
    camera.open()
    share = folder.rename(folder.with_name("share"))
    folder.mkdir()
    mounted.clear()
    with pytest.raises(CameraError, match="is not mounted"):
        camera.read(0.1)
    camera.close()
    folder.rmdir()
    share.rename(folder)
    mounted.add(folder.parent)
    camera.open()
    assert camera.read(0.5) is None  # what was there is still not new
