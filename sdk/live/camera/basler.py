"""Basler cameras, GigE and USB3, used through pylon's Python package pypylon.

Features have the names of the GenICam Standard Features Naming Convention. Older GigE cameras have
older names for some features.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import numpy as np

from sdk.errors import CameraError, OptionError
from sdk.live.camera.base import CameraBase, Frame

logger = logging.getLogger("sdk")

__all__ = ["BaslerCamera"]

EXPOSURE = ("ExposureTime", "ExposureTimeAbs")
GAIN = ("Gain", "GainRaw")
TRIGGERS = ("off", "software", "hardware")
# A wait for a frame is split into slices, so that settings can be changed in between.
SLICE_MS = 50
READY_MS = 1000
# Number of frames that may wait for a slow reader of a triggered camera, which must lose no frame.
BUFFERS = 16


class BaslerCamera(CameraBase):
    """A Basler camera.

    A free-running camera gives the newest frame, a triggered camera gives every frame.
    """

    settings = frozenset(("exposure_us", "gain", "region", "trigger"))

    def __init__(self, name: str = "") -> None:
        """Prepare a closed camera.

        Args:
            name: Serial number or user-defined name. Empty selects the only camera.
        """
        super().__init__(f"Basler camera {name}".rstrip())
        self._name = name
        self._camera: Any = None
        self._converter: Any = None
        # number of the last frame that the camera sent, and count of frames that did not arrive
        self._block = 0
        self._lost = 0
        # one thread changes settings while another waits for a frame
        self._lock = threading.RLock()

    def open(self) -> None:
        """Connect, see `Camera.open`."""
        if self._camera is not None:
            return
        pylon = _import_pylon()
        device = self._find(pylon)
        try:
            camera = pylon.InstantCamera(pylon.TlFactory.GetInstance().CreateDevice(device))
            camera.Open()
        except Exception as error:  # pylon raises its own errors for every cause
            raise CameraError(
                f"Cannot open {self}: {_first_line(error)} Close other programs that use it, and "
                "check that its IP address fits this network."
            ) from error
        camera.MaxNumBuffer.Value = BUFFERS
        self._converter = pylon.ImageFormatConverter()
        self._converter.OutputPixelFormat = pylon.PixelType_RGB8packed
        self._camera, self._lost = camera, 0
        try:
            self._apply(self._made)
        except OptionError:
            self.close()
            raise

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next frame, see `Camera.read`."""
        pylon = _import_pylon()
        deadline = time.monotonic() + timeout_s
        while True:
            left_ms = 1000 * (deadline - time.monotonic())
            wait_ms = max(1, min(SLICE_MS, round(left_ms)))
            with self._lock:
                if self._camera is None:
                    raise self._not_open()
                try:
                    if self._camera.IsCameraDeviceRemoved() or not self._camera.IsGrabbing():
                        raise CameraError(
                            f"Lost {self}: it was unplugged or switched off. Check power and cable."
                        )
                    result = self._camera.RetrieveResult(wait_ms, pylon.TimeoutHandling_Return)
                    image = self._convert(result)
                except CameraError:
                    raise
                except Exception as error:
                    raise CameraError(f"Lost {self}: {_first_line(error)}") from error
            if image is not None:
                return self._frame(image)
            if left_ms <= wait_ms:
                return None

    def properties(self) -> dict[str, Any]:
        """Return model, serial number, size, exposure, gain, region, trigger and pixel format.

        "lost_frames" counts the frames that did not arrive completely since the camera was opened.
        """
        with self._lock:
            if self._camera is None:
                return {}
            info = self._camera.GetDeviceInfo()
            numbers = {name: self._node(name).GetValue() for name in ("Width", "Height")}
            offset = [self._node(name).GetValue() for name in ("OffsetX", "OffsetY")]
            found = {
                "model": info.GetModelName(),
                "serial": info.GetSerialNumber(),
                "width": numbers["Width"],
                "height": numbers["Height"],
                "region": (*offset, numbers["Width"], numbers["Height"]),
                "trigger": self._made.get("trigger", "off"),
                "lost_frames": self._lost,
                "pixel_format": self._node("PixelFormat").ToString(),
            }
            for name, features in (("exposure_us", EXPOSURE), ("gain", GAIN)):
                feature = self._first_name(features)
                if feature is not None:
                    found[name] = self._node(feature).GetValue()
        return found

    def configure(self, **values: Any) -> None:
        """Change settings, see `Camera.configure`.

        Other features of the camera can be set by their GenICam names, such as PixelFormat.
        """
        with self._lock:
            super().configure(**values)
        self.stills = self._made.get("trigger", "off") != "off"
        self.live = not self.stills

    def trigger(self) -> None:
        """Take one picture now, see `Camera.trigger`."""
        camera = self._camera
        if camera is None:
            raise self._not_open()
        if self._made.get("trigger") != "software":
            raise CameraError(
                f"Cannot trigger {self}: its trigger is not software. Call "
                'configure(trigger="software") first.'
            )
        pylon = _import_pylon()
        try:
            if not camera.WaitForFrameTriggerReady(READY_MS, pylon.TimeoutHandling_Return):
                raise CameraError(f"Cannot trigger {self}: it is not ready after {READY_MS} ms.")
            camera.ExecuteSoftwareTrigger()
        except CameraError:
            raise
        except Exception as error:
            raise CameraError(f"Cannot trigger {self}: {_first_line(error)}") from error

    def close(self) -> None:
        """Disconnect, see `Camera.close`."""
        with self._lock:
            camera, self._camera = self._camera, None
            if camera is not None:
                camera.DestroyDevice()

    def _find(self, pylon: Any) -> Any:
        """Return pylon's description of the selected camera."""
        found = list(pylon.TlFactory.GetInstance().EnumerateDevices())
        names = ", ".join(f"{x.GetSerialNumber()} ({x.GetModelName()})" for x in found) or "none"
        if self._name:
            found = [
                x for x in found if self._name in (x.GetSerialNumber(), x.GetUserDefinedName())
            ]
        if len(found) == 1:
            return found[0]
        if found and not self._name:
            raise CameraError(f"There are several Basler cameras: {names}. Name one by its serial.")
        raise CameraError(
            f"Cannot find {self}: the cameras found are {names}. Check power and cable; a GigE "
            "camera must be in this machine's network, a USB camera needs pylon's udev rules."
        )

    def _convert(self, result: Any) -> Any:
        """Return uint8 RGB (H, W, 3), None for no frame or an incomplete frame."""
        try:
            if not result.IsValid():
                return None
            self._count_lost(result)
            if not result.GrabSucceeded():
                return None
            return np.ascontiguousarray(self._converter.Convert(result).GetArray())
        finally:
            result.Release()

    def _count_lost(self, result: Any) -> None:
        """Count frames that arrived incompletely or not at all."""
        block = int(result.BlockID)
        lost = 0 if result.GrabSucceeded() else 1
        if self.stills:  # a free-running camera skips frames on purpose
            lost += max(0, block - self._block - 1)
        self._block = block
        self._lost += lost
        if lost:
            logger.log(
                logging.WARNING if self.stills else logging.DEBUG,
                "%s lost %d frames, %d since it was opened. %s",
                self, lost, self._lost, result.ErrorDescription,
            )  # fmt: skip

    def _check_settings(self, names: Any) -> None:
        """Accept every name, because unknown names may be features of the camera."""

    def _apply(self, values: dict[str, Any]) -> None:
        if self._camera is None:
            return
        # size and trigger can be changed only while the camera is stopped
        self._camera.StopGrabbing()
        trigger = self._made.get("trigger", "off")
        try:
            # the trigger last, so that it stays unchanged if another setting is refused
            for name, value in sorted(values.items(), key=lambda item: item[0] == "trigger"):
                self._set(name, value)
            trigger = values.get("trigger", trigger)
        finally:
            self._start(trigger)

    def _start(self, trigger: str) -> None:
        pylon = _import_pylon()
        newest = trigger == "off"
        self._block = 1 << 64  # frame numbers restart
        self._camera.StartGrabbing(
            pylon.GrabStrategy_LatestImageOnly if newest else pylon.GrabStrategy_OneByOne
        )

    def _set(self, name: str, value: Any) -> None:
        try:
            if name == "exposure_us":
                self._set_number(EXPOSURE, "ExposureAuto", float(value))
            elif name == "gain":
                self._set_number(GAIN, "GainAuto", float(value))
            elif name == "region":
                self._set_region(value)
            elif name == "trigger":
                self._set_trigger(value)
            else:
                self._node(name).FromString(str(value))
        except OptionError:
            raise
        except Exception as error:
            raise OptionError(
                f"{self} does not take {name} {value!r}: {_first_line(error)}"
            ) from error

    def _set_number(self, names: tuple[str, ...], auto: str, value: float) -> None:
        name = self._first_name(names)
        if name is None:
            raise OptionError(
                f"{self} has no feature {' or '.join(names)}. Leave this setting out."
            )
        if self._first_name((auto,)):
            self._node(auto).FromString("Off")
        node = self._node(name)
        low, high = node.GetMin(), node.GetMax()
        if not low <= value <= high:
            raise OptionError(f"{self} does not take {name} {value:g}. Give {low:g} to {high:g}.")
        node.SetValue(round(value) if name == "GainRaw" else value)

    def _set_region(self, region: Any) -> None:
        x, y, width, height = (int(v) for v in region)
        most = self._node("WidthMax").GetValue(), self._node("HeightMax").GetValue()
        if min(x, y) < 0 or min(width, height) < 1 or x + width > most[0] or y + height > most[1]:
            raise OptionError(
                f"{self} does not take the region {x}, {y}, {width}, {height}: it is not within "
                f"the sensor's {most[0]} x {most[1]} pixels."
            )
        # offset and size must fit the sensor at any time
        for name in ("OffsetX", "OffsetY"):
            self._node(name).SetValue(self._node(name).GetMin())
        for name, value in (("Width", width), ("Height", height), ("OffsetX", x), ("OffsetY", y)):
            node = self._node(name)
            low, step = node.GetMin(), node.GetInc()
            node.SetValue(max(low, low + (value - low) // step * step))

    def _set_trigger(self, trigger: Any) -> None:
        if trigger not in TRIGGERS:
            raise OptionError(f"trigger is {trigger!r}. Give one of {', '.join(TRIGGERS)}.")
        self._node("TriggerSelector").FromString("FrameStart")
        self._node("TriggerMode").FromString("Off" if trigger == "off" else "On")
        if trigger != "off":
            source = "Software" if trigger == "software" else "Line1"
            self._node("TriggerSource").FromString(source)

    def _node(self, name: str) -> Any:
        node = self._camera.GetNodeMap().GetNode(name)
        if not node.IsValid():
            raise OptionError(f"{self} has no feature {name!r}. Use a GenICam name of the camera.")
        return node

    def _first_name(self, names: tuple[str, ...]) -> str | None:
        """Return the first name that the camera knows, None if it knows no name."""
        nodes = self._camera.GetNodeMap()
        return next((name for name in names if nodes.GetNode(name).IsValid()), None)


def _import_pylon() -> Any:
    try:
        from pypylon import pylon
    except ImportError as error:
        raise CameraError(
            f"Basler cameras need the package pypylon ({error}). "
            "Install it: pip install 'fots-lite[basler]'"
        ) from error
    return pylon


def _first_line(error: Exception) -> str:
    """Return pylon's message without the reference to its source file."""
    return str(error).partition(" : ")[0].strip().rstrip(".") + "."
