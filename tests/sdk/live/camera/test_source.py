"""Which camera a word stands for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import pytest
from PIL import Image

from sdk.errors import OptionError
from sdk.live.camera import CameraEnd, CameraError, make_camera, open_camera
from sdk.live.camera.basler import BaslerCamera
from sdk.live.camera.folder import Folder, WatchedFolder
from sdk.live.camera.opencv import NetworkCamera, PipelineCamera, UsbCamera
from sdk.live.camera.picamera import PiCamera
from sdk.live.camera.video import VideoFile
from tests.cameras import gray, write_video


@pytest.mark.parametrize(
    ("source", "kind", "title"),
    [
        (0, UsbCamera, "camera 0"),
        ("2?width=1280&height=720", UsbCamera, "camera 2"),
        ("rtsp://10.0.0.2/live?channel=1", NetworkCamera, "rtsp://10.0.0.2/live?channel=1"),
        ("rtsp://me:word@10.0.0.2/live", NetworkCamera, "rtsp://me:***@10.0.0.2/live"),
        ("rtsp://me:w@rd@10.0.0.2/live", NetworkCamera, "rtsp://me:***@10.0.0.2/live"),
        ("gst:videotestsrc ! appsink", PipelineCamera, "GStreamer pipeline 'videotestsrc ! app"),
        (
            "gst:a location=rtsp://me:w@x/b",
            PipelineCamera,
            "GStreamer pipeline 'a location=rtsp://me:***@x",
        ),
        ("picamera2", PiCamera, "Raspberry Pi camera 0"),
        ("picamera2:1?exposure_us=800", PiCamera, "Raspberry Pi camera 1"),
        ("basler", BaslerCamera, "Basler camera"),
        ("basler:24001234?gain=2.5&region=0,8,640,480", BaslerCamera, "Basler camera 24001234"),
        ("watch:anywhere", WatchedFolder, "watched folder anywhere"),
    ],
)
def test_words(source: str | int, kind: type, title: str) -> None:
    camera = make_camera(source)
    assert type(camera) is kind
    assert str(camera).startswith(title)


def test_files_and_folders(tmp_path: Path) -> None:
    picture = tmp_path / "photo.JPG"
    Image.fromarray(gray(77)).save(picture)
    video = write_video(tmp_path / "what? is & this.avi", [gray(9)])
    assert isinstance(make_camera(tmp_path), Folder)
    with make_camera(picture) as camera:
        frame = camera.read()
        assert frame is not None
        assert frame.name == "photo.JPG"
        with pytest.raises(CameraEnd):
            camera.read()
    assert isinstance(make_camera(f"{tmp_path}?loop&fps=2"), Folder)
    assert isinstance(make_camera(video), VideoFile)
    assert isinstance(make_camera(f"{video}?loop"), VideoFile)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("0?zoom=3", "has no setting 'zoom'. Use exposure_us, fps, gain"),
        ("{folder}?speed=3", "has no setting 'speed'. Use loop, fps"),
        ("{folder}?fps=fast", "fps of .* is 'fast'"),
        ("{folder}?fps=-1", "fps of .* is -1"),
        ("{folder}?fps=1,2", r"fps of .* is \(1, 2\)"),
        ("0?width=wide", "width of camera 0 is 'wide'"),
        ("0?gain", "gain of camera 0 is True"),
        (f"0?{'zoom' * 100}=3", "has no setting 'zoomzoom"),
        ("{folder}?=3", "Write them as NAME=VALUE"),
        ("picamera2?width=640", "Give width and height"),
    ],
)
def test_settings_that_are_none(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make_camera(source.format(folder=tmp_path))


@pytest.mark.parametrize("source", ["no/such/file.mp4", "", "picamera2:x", "watch:"])
def test_nothing_there(source: str) -> None:
    with pytest.raises(CameraError, match="no camera, file or folder"):
        open_camera(source)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /dev")
def test_usb_camera_that_is_not_there() -> None:
    with pytest.raises(CameraError, match="there is no /dev/video99; this machine has"):
        open_camera(99)


def test_open_picamera_takes_no_other_size() -> None:
    camera = PiCamera()
    camera._camera = object()
    with pytest.raises(OptionError, match="Close it first"):
        camera.configure(width=640, height=480)


def test_picamera_without_its_package() -> None:
    if importlib.util.find_spec("picamera2"):
        pytest.skip("picamera2 is here")
    with pytest.raises(CameraError, match="apt-get install python3-picamera2"):
        open_camera("picamera2")


@pytest.mark.skipif(
    cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER), reason="OpenCV has GStreamer here"
)
def test_gstreamer_without_support() -> None:
    with pytest.raises(CameraError, match="built without GStreamer"):
        open_camera("gst:videotestsrc ! videoconvert ! appsink")


@pytest.mark.skipif(
    not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER), reason="OpenCV has no GStreamer here"
)
def test_gstreamer_pipeline() -> None:
    pipeline = "videotestsrc ! video/x-raw,format=BGR,width=320,height=240 ! appsink"
    with make_camera(f"gst:{pipeline}") as camera:
        frame = camera.read(5)
        assert frame is not None
        assert frame.image.shape == (240, 320, 3)
        # the first bars of the test picture are white and yellow
        assert frame.image[50, 20].min() > 180
        assert frame.image[50, 60, 2] < 60 < frame.image[50, 60, 0]
    with pytest.raises(CameraError, match="does not start"):
        open_camera("gst:nosuchsource ! appsink")
