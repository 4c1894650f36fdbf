"""Edge TPUs (Coral): detection, permissions, and explanations of failures.

The library libedgetpu gives no reason for a failure. The functions here find the reason.
"""

from __future__ import annotations

import mmap
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from sdk.engine.device import Device

__all__ = [
    "Attached",
    "explain_crash",
    "explain_failure",
    "find_attached",
    "is_compiled",
    "library_name",
    "library_options",
]

# Vendor and product of the USB stick, before and after its firmware is loaded.
USB_IDS = (("1a6e", "089a"), ("18d1", "9302"))
PCI_ID = ("0x1ac1", "0x089a")
CUSTOM_OP = b"edgetpu-custom-op"

INSTALL = (
    "Install the library from Google's package source: sudo apt install libedgetpu1-std "
    "(docs/boards/coral.md has the commands)."
)


@dataclass(frozen=True, slots=True)
class Attached:
    """An Edge TPU that is attached to the machine.

    Attributes:
        bus: "usb" or "pci".
        node: Device file of the Edge TPU. None if a driver is missing.
        allowed: Whether this process may read and write the device file.
    """

    bus: str
    node: Path | None
    allowed: bool


def library_name() -> str:
    """Return the file name of libedgetpu on this system."""
    names = {"Darwin": "libedgetpu.1.dylib", "Windows": "edgetpu.dll"}
    return names.get(platform.system(), "libedgetpu.so.1")


def library_options(device: Device) -> dict[str, str]:
    """Return the options of libedgetpu that select one of several Edge TPUs."""
    if not device.detail:
        return {}
    return {"device": device.detail if device.detail in ("usb", "pci") else f":{device.detail}"}


def is_compiled(path: Path) -> bool:
    """Tell whether a graph was compiled for the Edge TPU.

    Raises:
        OSError: The file cannot be read.
    """
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(CUSTOM_OP) >= 0


def find_attached(root: Path = Path("/")) -> list[Attached]:
    """Return the Edge TPUs that Linux shows, none on other systems.

    Args:
        root: Folder that holds sys and dev.
    """
    found = []
    for folder in sorted((root / "sys/bus/usb/devices").glob("*")):
        if (_text(folder / "idVendor"), _text(folder / "idProduct")) in USB_IDS:
            bus, number = _text(folder / "busnum"), _text(folder / "devnum")
            found.append(_attached("usb", root / f"dev/bus/usb/{bus:0>3}/{number:0>3}"))
    nodes = sorted((root / "dev").glob("apex_*"))
    found += [_attached("pci", node) for node in nodes]
    if not nodes:
        for folder in sorted((root / "sys/bus/pci/devices").glob("*")):
            if (_text(folder / "vendor"), _text(folder / "device")) == PCI_ID:
                found.append(Attached("pci", None, False))
    return found


def explain_failure(
    device: Device, error: BaseException, interpreter: str, root: Path = Path("/")
) -> str:
    """Return why libedgetpu did not load or found no Edge TPU, and what to do.

    Args:
        device: The requested Edge TPU.
        error: The error that `load_delegate` raised.
        interpreter: Name and version of the interpreter.
        root: Folder that holds sys and dev.
    """
    text = " ".join(str(error).split())
    if isinstance(error, OSError):
        if "libusb" in text:
            return f"libedgetpu needs libusb ({text}). Install it: sudo apt install libusb-1.0-0."
        if "cannot open shared object file" in text or "not found" in text:
            return f"The library of the Edge TPU is not installed ({text}). {INSTALL}"
        return f"The library of the Edge TPU does not load ({text}). {INSTALL}"
    if platform.system() != "Linux":
        return f"libedgetpu finds no usable Edge TPU ({text}). Plug the Edge TPU in again."
    return explain_devices(device, find_attached(root), interpreter)


def explain_devices(device: Device, attached: list[Attached], interpreter: str) -> str:
    """Return why no attached Edge TPU can be opened, and what to do."""
    bus = device.detail if device.detail in ("usb", "pci") else ""
    wanted = [one for one in attached if not bus or one.bus == bus]
    if not wanted:
        others = f" (there is one on {attached[0].bus})" if attached else ""
        ids = " or ".join(":".join(pair) for pair in USB_IDS)
        return (
            f"No Edge TPU is attached{others}: no USB device {ids}, no /dev/apex_0. Plug one in, "
            'best into a USB 3 port, or use device="cpu".'
        )
    if device.detail.isdecimal() and int(device.detail) >= len(wanted):
        return (
            f"There is no Edge TPU number {device.detail}: {len(wanted)} attached. "
            "Give a number counted from 0."
        )
    if all(one.node is None for one in wanted):
        return (
            "The PCIe Edge TPU has no driver: /dev/apex_0 is missing. Install the driver: "
            "sudo apt install gasket-dkms, then restart (docs/boards/coral.md)."
        )
    denied = [one for one in wanted if one.node is not None and not one.allowed]
    if len(denied) == len([one for one in wanted if one.node is not None]):
        group = "plugdev" if denied[0].bus == "usb" else "apex"
        return (
            f"This user may not open the Edge TPU at {denied[0].node}. libedgetpu gives access to "
            f"the group {group}: sudo usermod -aG {group} $USER, log in again, plug the Edge TPU "
            "in again."
        )
    return (
        f"The Edge TPU at {wanted[0].node} does not answer: another process may use it, or "
        f"libedgetpu does not fit {interpreter}. Close other programs, plug the Edge TPU in again, "
        "and see docs/boards/coral.md for versions that fit together."
    )


def explain_crash(interpreter: str) -> str:
    """Return what to do about a libedgetpu that crashes."""
    return (
        f"It is built for another interpreter than {interpreter}: Google's library (runtime 14) "
        "crashes with tflite-runtime 2.12 and newer. Install a libedgetpu that was built from the "
        "interpreter's TensorFlow version (docs/boards/coral.md)."
    )


def _attached(bus: str, node: Path) -> Attached:
    return Attached(bus, node, os.access(node, os.R_OK | os.W_OK))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
