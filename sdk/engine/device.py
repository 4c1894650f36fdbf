"""Names of devices, such as "gpu" or "edgetpu:usb"."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.errors import DeviceError, OptionError

__all__ = ["AUTO", "CPU", "EDGETPU", "GPU", "Device", "left_behind", "parse_device"]

FORMS = (
    "auto",
    "cpu",
    "gpu",
    "gpu:<delegate library>",
    "edgetpu",
    "edgetpu:usb",
    "edgetpu:pci",
    "edgetpu:<number>",
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that runs graphs.

    Attributes:
        kind: "auto", "cpu", "gpu" or "edgetpu".
        detail: The delegate library for "gpu". "usb", "pci" or a number for "edgetpu". Empty for
            any device of the kind.
    """

    kind: str
    detail: str = ""

    def __str__(self) -> str:
        """Return the name, in the form that `parse_device` reads."""
        return f"{self.kind}:{self.detail}" if self.detail else self.kind


AUTO, CPU, GPU, EDGETPU = (Device(kind) for kind in ("auto", "cpu", "gpu", "edgetpu"))


def parse_device(text: str) -> Device:
    """Return a device by name.

    Raises:
        OptionError: No device has this name.
    """
    if isinstance(text, str):
        kind, colon, detail = text.partition(":")
        device = Device(kind, detail)
        if not colon and device in (AUTO, CPU, GPU, EDGETPU):
            return device
        which = detail in ("usb", "pci") or (detail.isascii() and detail.isdecimal())
        if (kind == "gpu" and detail) or (kind == "edgetpu" and which):
            return device
    raise OptionError(f"device is {text!r}. Give one of {', '.join(FORMS)}.")


def left_behind(device: Device) -> DeviceError:
    """Return the error for a device that a forked child needs but its parent has open."""
    return DeviceError(
        f"The device {device} cannot be used in this forked process: its parent opened the device. "
        "Open a new Reader in the forked process."
    )
