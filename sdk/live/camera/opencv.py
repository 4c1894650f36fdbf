"""Cameras that OpenCV opens: USB cameras, network streams, GStreamer pipelines."""

from __future__ import annotations

import logging
import os
import sys
from abc import abstractmethod
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sdk.errors import CameraError, OptionError
from sdk.live.camera.base import CameraBase, Frame, mask_password

logger = logging.getLogger("sdk")

__all__ = ["NetworkCamera", "PipelineCamera", "UsbCamera"]

# A network camera that does not answer for so long is lost.
NETWORK_TIMEOUT_MS = 5000
# Video4Linux counts exposure in units of 100 microseconds.
EXPOSURE_UNIT_US = 100.0
V4L2_MANUAL_EXPOSURE = 1.0
PROPERTIES = {
    "width": cv2.CAP_PROP_FRAME_WIDTH,
    "height": cv2.CAP_PROP_FRAME_HEIGHT,
    "fps": cv2.CAP_PROP_FPS,
    "exposure_us": cv2.CAP_PROP_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
}


class OpenCvCamera(CameraBase):
    """A live source of frames that `cv2.VideoCapture` opens.

    OpenCV waits for a frame as long as its backend does: `read` may exceed its timeout by seconds.
    """

    def __init__(
        self, title: str, source: int | str, backend: int, parameters: tuple[int, ...] = ()
    ) -> None:
        """Remember what to open.

        Args:
            title: What messages call it.
            source: What `cv2.VideoCapture` takes.
            backend: One of OpenCV's CAP_ constants.
            parameters: Pairs of property and value to open with.
        """
        super().__init__(title)
        self._source = source
        self._backend = backend
        self._parameters = parameters
        self._capture: Any = None

    def open(self) -> None:
        """Connect, see `Camera.open`."""
        if self._capture is not None:
            return
        capture = cv2.VideoCapture(self._source, self._backend, list(self._parameters))
        if not capture.isOpened():
            raise CameraError(f"Cannot open {self}: {self._diagnosis()}")
        self._capture = capture
        try:
            self._apply(self._made)
        except OptionError:
            self.close()
            raise

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next frame, see `Camera.read`."""
        if self._capture is None:
            raise self._not_open()
        there, image = self._capture.read()
        if not there or image is None:
            raise CameraError(f"Lost {self}: it gives no more frames. Check cable and network.")
        return self._frame(to_rgb(image))

    def properties(self) -> dict[str, Any]:
        """Return width, height, and what else the backend tells."""
        if self._capture is None:
            return {}
        values = {name: self._capture.get(PROPERTIES[name]) for name in ("width", "height")}
        found: dict[str, Any] = {name: round(value) for name, value in values.items()}
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        if fps > 0:
            found["fps"] = fps
        return found

    def close(self) -> None:
        """Disconnect, see `Camera.close`."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    @abstractmethod
    def _diagnosis(self) -> str:
        """Say why the camera may not open."""


class UsbCamera(OpenCvCamera):
    """A camera of the operating system, such as a USB camera, by its number."""

    settings = frozenset(PROPERTIES)

    def __init__(self, index: int) -> None:
        """Remember the number, from 0; on Linux that of /dev/video<number>."""
        backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
        super().__init__(f"camera {index}", index, backend)
        self._index = index

    def open(self) -> None:
        """Connect, see `Camera.open`."""
        super().open()
        # one buffer: a frame that waited is an old frame
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def properties(self) -> dict[str, Any]:
        """Return size and rate, exposure and gain where the driver has them."""
        found = super().properties()
        if self._capture is not None:
            exposure = self._capture.get(cv2.CAP_PROP_EXPOSURE)
            gain = self._capture.get(cv2.CAP_PROP_GAIN)
            if exposure > 0:
                found["exposure_us"] = exposure * EXPOSURE_UNIT_US
            if gain >= 0:
                found["gain"] = gain
        return found

    def configure(self, **values: Any) -> None:
        """Change settings, see `Camera.configure`; all are numbers."""
        self._check_settings(values)
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise OptionError(f"{name} of {self} is {value!r}. Give a number.")
        super().configure(**values)

    def _apply(self, values: dict[str, Any]) -> None:
        if self._capture is None:
            return
        for name, value in values.items():
            if name == "exposure_us":
                self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, V4L2_MANUAL_EXPOSURE)
                done = self._capture.set(PROPERTIES[name], value / EXPOSURE_UNIT_US)
            else:
                done = self._capture.set(PROPERTIES[name], value)
            if not done:
                raise OptionError(f"{self} does not take {name} {value!r}. Leave the setting out.")
        for name in ("width", "height"):
            taken = round(self._capture.get(PROPERTIES[name]))
            if name in values and taken != values[name]:
                logger.warning("%s gives a %s of %d, not %s.", self, name, taken, values[name])

    def _diagnosis(self) -> str:
        if not sys.platform.startswith("linux"):
            return "is it plugged in, and free? Other numbers may be other cameras."
        device = Path(f"/dev/video{self._index}")
        if not device.exists():
            there = sorted(str(path) for path in Path("/dev").glob("video*"))
            found = f"this machine has {', '.join(there)}" if there else "this machine has none"
            return f"there is no {device}; {found}. Plug it in, or choose another number."
        if not os.access(device, os.R_OK | os.W_OK):
            return f"{device} may not be used by this user. Add the user to the group video."
        return (
            f"{device} gives no pictures. Another program may use it, or it is no camera "
            "(a Raspberry Pi camera opens as picamera2)."
        )


class NetworkCamera(OpenCvCamera):
    """A stream from the network: RTSP, HTTP (MJPEG) and whatever else FFmpeg opens."""

    def __init__(self, url: str) -> None:
        """Remember the address, which may hold user and password."""
        limits = (
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, NETWORK_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC, NETWORK_TIMEOUT_MS,
        )  # fmt: skip
        # messages end up in logs, where no password belongs
        super().__init__(mask_password(url), url, cv2.CAP_FFMPEG, limits)

    def _diagnosis(self) -> str:
        return (
            "nothing there sends video "
            f"(waited up to {NETWORK_TIMEOUT_MS / 1000:g} s). Check address, network, user and "
            "password."
        )


class PipelineCamera(OpenCvCamera):
    """A GStreamer pipeline that ends in appsink, such as a Jetson's CSI camera."""

    def __init__(self, pipeline: str) -> None:
        """Remember the pipeline."""
        title = f"GStreamer pipeline {mask_password(pipeline)!r}"
        super().__init__(title, pipeline, cv2.CAP_GSTREAMER)

    def open(self) -> None:
        """Connect, see `Camera.open`."""
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise CameraError(
                f"Cannot open {self}: this OpenCV ({cv2.__version__}) is built without GStreamer, "
                "as the wheels of pip are. Use the one of the system: apt-get install "
                "python3-opencv, or that of JetPack."
            )
        super().open()

    def _diagnosis(self) -> str:
        return (
            "it does not start. It must end in appsink and give BGR; try it with gst-launch-1.0, "
            "with fakesink in place of appsink."
        )


def to_rgb(image: Any) -> Any:
    """Return a frame as OpenCV gives it (BGR or gray) as uint8 RGB (H, W, 3)."""
    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 or image.shape[2] == 1 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code))
