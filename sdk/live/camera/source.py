"""From a word to a camera: the kinds of sources, and their settings.

    0, "0"                              a USB camera by number
    "rtsp://...", "http://..."          a network camera
    "gst:PIPELINE"                      a GStreamer pipeline, such as a Jetson's CSI camera
    "picamera2", "picamera2:1"          a Raspberry Pi camera
    "basler", "basler:SERIAL"           a Basler camera
    "clip.mp4"                          a video file
    "pictures/", "photo.jpg"            a folder of pictures, or one picture
    "watch:pictures/"                   pictures that arrive in a folder

Settings follow a question mark, as in "0?width=1280&height=720", "basler?exposure_us=500&gain=6"
or "pictures/?loop&fps=1". Addresses and pipelines are used without a change.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sdk.errors import CameraError, OptionError
from sdk.image.files import PICTURE_SUFFIXES
from sdk.live.camera.base import CameraBase

__all__ = ["make_camera", "open_camera"]

Settings = dict[str, Any]


def open_camera(source: str | int | os.PathLike[str]) -> CameraBase:
    """Return an open camera.

    Args:
        source: Word for the camera, see the module.

    Raises:
        CameraError: There is no such camera, file or folder, or it cannot be opened.
        OptionError: The kind of source is unknown, or the source has no such setting.
    """
    camera = make_camera(source)
    camera.open()
    return camera


def make_camera(source: str | int | os.PathLike[str]) -> CameraBase:
    """Return a closed camera, to be opened by its `open` or by a `Grabber`.

    Args:
        source: Word for the camera, see the module.

    Raises:
        CameraError: There is no such file or folder.
        OptionError: The kind of source is unknown, or the source has no such setting.
    """
    word = str(source) if isinstance(source, int) else os.fspath(source)
    kind, colon, rest = word.partition(":")
    if rest.startswith("//"):
        from sdk.live.camera.opencv import NetworkCamera

        return NetworkCamera(word)
    if kind == "gst" and colon:
        from sdk.live.camera.opencv import PipelineCamera

        return PipelineCamera(rest)
    # Path.exists raises for a word that is too long for a path, such as one with many settings
    is_path = os.path.exists(word)  # noqa: PTH110
    word, settings = (word, {}) if is_path else _split_settings(word)
    return _by_kind(word, settings)


def _by_kind(word: str, settings: Settings) -> CameraBase:
    kind, _, rest = word.partition(":")
    if word.isdecimal():
        from sdk.live.camera.opencv import UsbCamera

        return _with(UsbCamera(int(word)), settings)
    if kind == "picamera2" and (not rest or rest.isdecimal()):
        from sdk.live.camera.picamera import PiCamera

        return _with(PiCamera(int(rest or 0)), settings)
    if kind == "basler":
        from sdk.live.camera.basler import BaslerCamera

        return _with(BaslerCamera(rest), settings)
    if kind == "watch" and rest:
        from sdk.live.camera.folder import WatchedFolder

        return _with(WatchedFolder(rest), settings)
    path = Path(word)
    if word and (path.is_dir() or (path.suffix.lower() in PICTURE_SUFFIXES and path.exists())):
        from sdk.live.camera.folder import Folder

        return _recorded(Folder, path, settings)
    if word and path.exists():
        from sdk.live.camera.video import VideoFile

        return _recorded(VideoFile, path, settings)
    raise CameraError(
        f"There is no camera, file or folder {word!r}. Give a number, an address such as "
        'rtsp://..., a video file, a folder, "watch:FOLDER", "picamera2", "basler" or "gst:...".'
    )


def _with(camera: CameraBase, settings: Settings) -> CameraBase:
    camera.configure(**settings)
    return camera


def _recorded(make: Callable[..., CameraBase], path: Path, settings: Settings) -> CameraBase:
    """Return a file or folder with its settings."""
    for name in settings:
        if name not in ("loop", "fps"):
            raise OptionError(f"{path} has no setting {name!r}. Use loop, fps.")
    fps = settings.get("fps", 0)
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) or fps < 0:
        raise OptionError(f"fps of {path} is {fps!r}. Give a number of at least 0.")
    return make(path, loop=bool(settings.get("loop")), fps=fps)


def _split_settings(word: str) -> tuple[str, Settings]:
    """Split "basler?gain=2&loop" into the word and {"gain": 2, "loop": True}."""
    word, _, tail = word.rpartition("?") if "?" in word else (word, "", "")
    settings: Settings = {}
    for part in tail.split("&") if tail else ():
        name, equals, value = part.partition("=")
        if not name:
            raise OptionError(
                f"The settings of {word} are {tail!r}. Write them as NAME=VALUE&NAME=VALUE."
            )
        settings[name] = _value(value) if equals else True
    return word, settings


def _value(text: str) -> Any:
    """Return a number, a tuple for "1,2", or the text itself."""
    parts = text.split(",")
    if len(parts) > 1:
        return tuple(_value(part) for part in parts)
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
