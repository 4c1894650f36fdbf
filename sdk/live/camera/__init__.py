"""Cameras with one small protocol: USB, network, video files, folders, Pi and Basler cameras.

    from sdk.live.camera import open_camera

    with open_camera("rtsp://192.168.0.20/stream1") as camera:
        frame = camera.read()

`sdk.live.grabber.Grabber` reads a camera in its own thread, returns the newest frame and opens a
lost camera again.
"""

from sdk.errors import CameraEnd, CameraError
from sdk.live.camera.base import Camera, CameraBase, Frame, mask_password
from sdk.live.camera.source import make_camera, open_camera

__all__ = [
    "Camera",
    "CameraBase",
    "CameraEnd",
    "CameraError",
    "Frame",
    "make_camera",
    "mask_password",
    "open_camera",
]
