"""Deprecated name of `sdk.live.camera`."""

from sdk.deprecated import moved_names

_NAMES = ("Camera", "CameraBase", "Frame", "make_camera", "mask_password", "open_camera")

__getattr__ = moved_names(
    __name__,
    {
        **dict.fromkeys(_NAMES, "sdk.live.camera"),
        **dict.fromkeys(("CameraEnd", "CameraError"), "sdk.errors"),
        "Grabber": "sdk.live.grabber",
    },
)
