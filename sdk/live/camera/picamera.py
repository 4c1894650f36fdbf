"""The camera of a Raspberry Pi, used through picamera2."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from sdk.errors import CameraError, OptionError
from sdk.live.camera.base import CameraBase, Frame

# The libcamera control of each setting.
CONTROLS = {"exposure_us": "ExposureTime", "gain": "AnalogueGain", "region": "ScalerCrop"}


class PiCamera(CameraBase):
    """A Raspberry Pi camera.

    The class was written from picamera2's source. It has not been run on a board.
    """

    settings = frozenset((*CONTROLS, "width", "height", "fps"))

    def __init__(self, index: int = 0) -> None:
        """Prepare a closed camera.

        Args:
            index: Number of the camera, from 0.
        """
        super().__init__(f"Raspberry Pi camera {index}")
        self._index = index
        self._camera: Any = None
        # the current capture, and whether it is done
        self._job: Any = None
        self._ready = threading.Event()

    def open(self) -> None:
        """Connect, see `Camera.open`."""
        if self._camera is not None:
            return
        camera = self._connect()
        try:
            # libcamera names formats by their order in a word, so "BGR888" is RGB in memory
            main: dict[str, Any] = {"format": "BGR888"}
            if "width" in self._made:
                main["size"] = (self._made["width"], self._made["height"])
            camera.configure(camera.create_video_configuration(main=main, buffer_count=3))
            camera.start()
            self._camera = camera
            self._apply(self._made)
        except OptionError:
            self.close()
            raise
        except Exception as error:  # libcamera's bindings raise any exception
            self._camera = None
            camera.close()
            raise CameraError(f"Cannot start {self}: {error}. Check its cable.") from error

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next frame, see `Camera.read`."""
        if self._camera is None:
            raise self._not_open()
        try:
            if self._job is None:
                self._ready.clear()
                self._job = self._camera.capture_array(
                    "main", wait=False, signal_function=lambda job: self._ready.set()
                )
            # not every version of picamera2 has a wait with a timeout
            if not self._ready.wait(timeout_s):
                return None
            job, self._job = self._job, None
            image = self._camera.wait(job)
        except Exception as error:
            raise CameraError(f"Lost {self}: {error}. Check its cable.") from error
        return self._frame(np.ascontiguousarray(image[:, :, :3]))

    def properties(self) -> dict[str, Any]:
        """Return the size, and the configured exposure, gain, region and frame rate."""
        if self._camera is None:
            return {}
        width, height = self._camera.camera_configuration()["main"]["size"]
        return {**self._made, "width": width, "height": height}

    def close(self) -> None:
        """Disconnect, see `Camera.close`."""
        camera, self._camera, self._job = self._camera, None, None
        if camera is not None:
            camera.stop()
            camera.close()

    def _check_settings(self, names: Iterable[str]) -> None:
        super()._check_settings(names)
        size = {"width", "height"} & set(names)
        if len(size) == 1:
            raise OptionError(f"{self} has only one side of its size. Give width and height.")
        if size and self._camera is not None:
            raise OptionError(f"{self} cannot change its size while it is open. Close it first.")

    def _connect(self) -> Any:
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise CameraError(
                f"Cannot open {self}: the module picamera2 is missing ({error}). On Raspberry Pi "
                "OS: apt-get install python3-picamera2, and make the virtual environment with "
                "python3 -m venv --system-site-packages, for pip cannot install libcamera."
            ) from error
        try:
            return Picamera2(self._index)
        except Exception as error:
            raise CameraError(
                f"Cannot open {self}: {error}. Check its cable and rpicam-hello --list-cameras; "
                "only one program can use it."
            ) from error

    def _apply(self, values: dict[str, Any]) -> None:
        if self._camera is None:
            return
        controls = {CONTROLS[name]: value for name, value in values.items() if name in CONTROLS}
        if "fps" in values:
            controls["FrameRate"] = values["fps"]
        try:
            self._camera.set_controls(controls)
        except Exception as error:
            raise OptionError(f"{self} does not take {values}: {error}.") from error
