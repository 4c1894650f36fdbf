"""Cameras behind one small protocol: USB, network, video files, folders, Pi and Basler cameras.

    from sdk.camera import open_camera

    with open_camera("rtsp://192.168.0.20/stream1") as camera:
        frame = camera.read()

`Grabber` reads a camera in a thread of its own, hands out the newest frame and connects again when
the camera is lost.
"""

from sdk.camera.base import Camera, CameraBase, Frame, mask_password
from sdk.camera.grabber import Grabber
from sdk.camera.source import make_camera, open_camera
from sdk.errors import CameraEnd, CameraError

__all__ = [
    "Camera",
    "CameraBase",
    "CameraEnd",
    "CameraError",
    "Frame",
    "Grabber",
    "make_camera",
    "mask_password",
    "open_camera",
]
