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

# A network camera that does not answer for this time is lost.
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

    OpenCV waits for a frame as long as its backend, so `read` may exceed its timeout by seconds.
    """

    def __init__(
        self, title: str, source: int | str, backend: int, parameters: tuple[int, ...] = ()
    ) -> None:
        """Prepare a closed camera.

        Args:
            title: Name of the camera in messages.
            source: Source argument of `cv2.VideoCapture`.
            backend: One of OpenCV's CAP_ constants.
            parameters: Alternating properties and values for opening.
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
        """Return width, height, and the frame rate if the backend knows it."""
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
        """Return why the camera may not open, and what to do."""


class UsbCamera(OpenCvCamera):
    """A camera of the operating system, such as a USB camera, selected by its number."""

    settings = frozenset(PROPERTIES)

    def __init__(self, index: int) -> None:
        """Prepare a closed camera.

        Args:
            index: Number of the camera, from 0. On Linux the number of /dev/video<number>.
        """
        backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
        super().__init__(f"camera {index}", index, backend)
        self._index = index

    def open(self) -> None:
        """Connect, see `Camera.open`."""
        super().open()
        # one buffer: a buffered frame would be an old frame
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def properties(self) -> dict[str, Any]:
        """Return size, frame rate, exposure and gain, if the driver has them."""
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
        """Change settings, see `Camera.configure`. All values are numbers."""
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
            return "it does not answer. Plug it in, close other programs, or try another number."
        device = Path(f"/dev/video{self._index}")
        if not device.exists():
            there = sorted(str(path) for path in Path("/dev").glob("video*"))
            found = f"this machine has {', '.join(there)}" if there else "this machine has none"
            return f"there is no {device}; {found}. Plug it in, or choose another number."
        if not os.access(device, os.R_OK | os.W_OK):
            return f"this user may not use {device}. Add the user to the group video."
        return (
            f"{device} gives no pictures. Close other programs that use it, or choose another "
            "number (a Raspberry Pi camera opens as picamera2)."
        )


class NetworkCamera(OpenCvCamera):
    """A stream from the network: RTSP, HTTP (MJPEG) and other streams that FFmpeg opens."""

    def __init__(self, url: str) -> None:
        """Prepare a closed camera.

        Args:
            url: Address of the stream, which may hold user and password.
        """
        limits = (
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, NETWORK_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC, NETWORK_TIMEOUT_MS,
        )  # fmt: skip
        # messages are written to logs, which must not hold passwords
        super().__init__(mask_password(url), url, cv2.CAP_FFMPEG, limits)

    def _diagnosis(self) -> str:
        return (
            "no video came from this address "
            f"(waited up to {NETWORK_TIMEOUT_MS / 1000:g} s). Check address, network, user and "
            "password."
        )


class PipelineCamera(OpenCvCamera):
    """A GStreamer pipeline that ends in appsink, such as a Jetson's CSI camera."""

    def __init__(self, pipeline: str) -> None:
        """Prepare a closed camera.

        Args:
            pipeline: Description of the GStreamer pipeline.
        """
        title = f"GStreamer pipeline {mask_password(pipeline)!r}"
        super().__init__(title, pipeline, cv2.CAP_GSTREAMER)

    def open(self) -> None:
        """Connect, see `Camera.open`."""
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise CameraError(
                f"Cannot open {self}: this OpenCV ({cv2.__version__}) is built without GStreamer, "
                "like all wheels of pip. Use the OpenCV of the system (apt-get install "
                "python3-opencv) or of JetPack."
            )
        super().open()

    def _diagnosis(self) -> str:
        return (
            "it does not start. The pipeline must end in appsink and give BGR. Try it by "
            "gst-launch-1.0, with fakesink in place of appsink."
        )


def to_rgb(image: Any) -> Any:
    """Return a frame of OpenCV, BGR or gray, as uint8 RGB (H, W, 3)."""
    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 or image.shape[2] == 1 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code))
