"""What is wrong with an Edge TPU, from what Linux shows and from what the library says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sdk.engine.device import Device, parse_device
from sdk.engine.edgetpu import (
    Attached,
    explain_devices,
    explain_failure,
    find_attached,
    is_compiled,
    library_options,
)
from sdk.errors import OptionError
from tests.sdk.engine import delegates

INTERPRETER = "ai-edge-litert 2.3.0"
EDGETPU = Device("edgetpu")
# what load_delegate raises with the real library when it finds no Edge TPU: no reason in it
SILENT = ValueError("Failed to load delegate from libedgetpu.so.1\n")


def add_usb(root: Path, vendor: str, product: str, bus: str = "2", number: str = "5") -> Path:
    folder = root / "sys/bus/usb/devices" / f"{bus}-{number}"
    folder.mkdir(parents=True)
    for name, text in (
        ("idVendor", vendor),
        ("idProduct", product),
        ("busnum", bus),
        ("devnum", number),
    ):
        (folder / name).write_text(f"{text}\n")
    node = root / f"dev/bus/usb/{bus:0>3}/{number:0>3}"
    node.parent.mkdir(parents=True, exist_ok=True)
    node.touch()
    return node


# Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("auto", Device("auto")),
        ("cpu", Device("cpu")),
        ("gpu", Device("gpu")),
        ("gpu:/opt/lib/libtensorflowlite_gpu_delegate.so", None),
        ("gpu:C:\\delegate.dll", Device("gpu", "C:\\delegate.dll")),
        ("edgetpu", Device("edgetpu")),
        ("edgetpu:usb", Device("edgetpu", "usb")),
        ("edgetpu:12", Device("edgetpu", "12")),
    ],
)
def test_device_names(text: str, device: Device | None) -> None:
    assert str(parse_device(text)) == text
    assert device is None or parse_device(text) == device


@pytest.mark.parametrize(
    "text",
    [
        "",
        "npu",
        "CPU",
        "cpu:1",
        "auto:",
        "gpu:",
        "edgetpu:",
        "edgetpu:-1",
        "edgetpu:usb:0",
        "edgetpu:²",
    ],
)
def test_names_of_no_device(text: str) -> None:
    with pytest.raises(OptionError, match="Give one of auto, cpu, gpu, gpu:<delegate library>"):
        parse_device(text)


def test_device_that_is_no_string() -> None:
    with pytest.raises(OptionError, match="device is 3"):
        parse_device(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "options"),
    [("edgetpu", {}), ("edgetpu:pci", {"device": "pci"}), ("edgetpu:0", {"device": ":0"})],
)
def test_options_of_the_library(name: str, options: dict[str, str]) -> None:
    assert library_options(parse_device(name)) == options


# What Linux shows ---------------------------------------------------------------------------------


def test_nothing_attached(tmp_path: Path) -> None:
    add_usb(tmp_path, "1d6b", "0003")
    assert find_attached(tmp_path) == []
    text = explain_failure(EDGETPU, SILENT, INTERPRETER, tmp_path)
    assert text.startswith("No Edge TPU is attached: no USB device 1a6e:089a or 18d1:9302")
    assert find_attached(tmp_path / "no-such-system") == []


@pytest.mark.parametrize("ids", [("1a6e", "089a"), ("18d1", "9302")])
def test_stick_that_may_be_opened(tmp_path: Path, ids: tuple[str, str]) -> None:
    node = add_usb(tmp_path, *ids)
    assert find_attached(tmp_path) == [Attached("usb", node, True)]
    text = explain_failure(EDGETPU, SILENT, INTERPRETER, tmp_path)
    assert "does not answer" in text
    assert INTERPRETER in text
    # what is attached to the other bus does not help
    pci = explain_failure(Device("edgetpu", "pci"), SILENT, INTERPRETER, tmp_path)
    assert "No Edge TPU is attached (there is one on usb)" in pci
    second = explain_failure(Device("edgetpu", "1"), SILENT, INTERPRETER, tmp_path)
    assert "no Edge TPU number 1: 1 attached. Give a number counted from 0" in second


def test_stick_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = add_usb(tmp_path, "18d1", "9302")
    node.chmod(0)
    # root may open everything, whatever the mode says
    monkeypatch.setattr(os, "access", lambda path, mode: bool(Path(path).stat().st_mode & 0o600))
    assert find_attached(tmp_path) == [Attached("usb", node, False)]
    text = explain_failure(EDGETPU, SILENT, INTERPRETER, tmp_path)
    assert f"may not open the Edge TPU at {node}" in text
    assert "usermod -aG plugdev" in text


def test_card_with_and_without_driver(tmp_path: Path) -> None:
    folder = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    folder.mkdir(parents=True)
    (folder / "vendor").write_text("0x1ac1\n")
    (folder / "device").write_text("0x089a\n")
    assert find_attached(tmp_path) == [Attached("pci", None, False)]
    text = explain_failure(EDGETPU, SILENT, INTERPRETER, tmp_path)
    assert "has no driver" in text
    assert "gasket-dkms" in text
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").touch()
    assert find_attached(tmp_path) == [Attached("pci", tmp_path / "dev/apex_0", True)]
    denied = [Attached("pci", Path("/dev/apex_0"), False)]
    assert "usermod -aG apex" in explain_devices(EDGETPU, denied, INTERPRETER)


# What the loader says -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            "libedgetpu.so.1: cannot open shared object file: No such file or directory",
            "is not installed",
        ),
        (
            "libusb-1.0.so.0: cannot open shared object file: No such file or directory",
            "sudo apt install libusb-1.0-0",
        ),
        (
            "/usr/lib/libedgetpu.so.1: wrong ELF class: ELFCLASS32",
            "does not load (/usr/lib/libedgetpu.so.1: wrong ELF class",
        ),
    ],
)
def test_errors_of_the_loader(tmp_path: Path, error: str, message: str) -> None:
    assert message in explain_failure(EDGETPU, OSError(error), INTERPRETER, tmp_path)


def test_compiled_graphs_are_told_from_others(tiny_bundle: Path, tmp_path: Path) -> None:
    source = tiny_bundle / "detector-int8.tflite"
    target = tmp_path / "compiled.tflite"
    delegates.compile_for_edgetpu(source, target)
    (tmp_path / "empty.tflite").touch()
    assert is_compiled(target)
    assert not is_compiled(source)
    assert not is_compiled(tmp_path / "empty.tflite")
