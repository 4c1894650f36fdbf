"""Delegates, with a stub compiled here: those that work, fail, crash, hang on, compute wrongly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sdk import Reader
from sdk.engine import open_engine
from sdk.errors import DeviceError, ModelError
from sdk.image.letterbox import letterbox
from sdk.model.bundle import MANIFEST_NAME, Bundle
from tests import tiny
from tests.sdk.engine import delegates

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or sys.platform != "linux", reason="compiles a library for Linux"
)


def photo() -> np.ndarray:
    return np.asarray(tiny.draw_photo([("HEAD", 8, 12), ("CAFE", 8, 76)], (128, 128)))


@pytest.fixture(scope="session")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stub under the name of libedgetpu, so that it is found as that too."""
    return delegates.build_stub(tmp_path_factory.mktemp("stub") / "libedgetpu.so.1")


@pytest.fixture
def compiled(own_bundle: Path) -> Path:
    return delegates.add_edgetpu_variant(own_bundle)


def run(code: str, library: Path | None, **environment: object) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that finds the library of the Edge TPU."""
    found = {"LD_LIBRARY_PATH": str(library.parent)} if library else {}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **found, **{key: str(value) for key, value in environment.items()}},
        capture_output=True,
        text=True,
        check=False,
    )


def open_on_edgetpu(bundle: Path, device: str = "edgetpu") -> str:
    """Return code that prints the reader's description, or the error."""
    return (
        "import json\n"
        "from sdk import Reader\n"
        "from sdk.errors import SdkError\n"
        "try:\n"
        f"    with Reader({str(bundle)!r}, device={device!r}, threads=1) as reader:\n"
        "        print(json.dumps(reader.describe()))\n"
        "except SdkError as error:\n"
        "    print(type(error).__name__, error)\n"
    )


# GPU delegates ------------------------------------------------------------------------------------


def test_reads_through_a_gpu_delegate(tiny_bundle: Path, stub: Path) -> None:
    with Reader(tiny_bundle, device="cpu", threads=1) as reader:
        expected = reader.read(photo())
    with Reader(tiny_bundle, device=f"gpu:{stub}", threads=1) as reader:
        reading = reader.read(photo())
        about = reader.describe()
    assert reading.lines == expected.lines
    assert reading.texts == ["HEAD", "CAFE"]
    assert reading.device == about["device"] == f"gpu:{stub}"
    # floats are what a GPU computes in; the graphs of single lines stay on the CPU
    assert about["variant"] == "fp32"
    devices = {role: graph["device"] for role, graph in about["graphs"].items()}
    assert devices == {"detector": "gpu", "recognizer": "cpu", "line": "cpu"}


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("fail", "does not load: the stub was told to fail"),
        ("fail-silently", "does not load: it gives no reason"),
        ("crash", r"crashes while loading \(SIGSEGV\).*device=\"cpu\" works without it"),
    ],
)
def test_gpu_delegate_that_does_not_load(
    tiny_bundle: Path, stub: Path, monkeypatch: pytest.MonkeyPatch, mode: str, message: str
) -> None:
    monkeypatch.setenv("STUB_MODE", mode)
    with pytest.raises(DeviceError, match=message):
        Reader(tiny_bundle, device=f"gpu:{stub}")


def test_library_that_is_no_delegate(tiny_bundle: Path, tmp_path: Path) -> None:
    library = delegates.build_library(tmp_path / "none.so", "int answer(void) { return 42; }")
    with pytest.raises(DeviceError, match="it is not a TFLite delegate"):
        Reader(tiny_bundle, device=f"gpu:{library}")


def test_library_with_a_missing_symbol_of_egl(tiny_bundle: Path, tmp_path: Path) -> None:
    source = "int eglGetError(void); int tflite_plugin_create_delegate() { return eglGetError(); }"
    library = delegates.build_library(tmp_path / "egl.so", source)
    # ctypes binds at once, as the loader does with the real library on a Jetson
    with pytest.raises(DeviceError, match="LD_PRELOAD=libEGL"):
        Reader(tiny_bundle, device=f"gpu:{library}")


def test_library_that_is_not_there_and_no_library(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="There is no GPU delegate"):
        Reader(tiny_bundle, device=f"gpu:{tmp_path / 'no.so'}")
    text = tmp_path / "text.so"
    text.write_text("no library at all, but long enough to hold the header of one" * 2)
    with pytest.raises(DeviceError, match="built for another processor"):
        Reader(tiny_bundle, device=f"gpu:{text}")


# Edge TPU -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "options"),
    [("edgetpu", ""), ("edgetpu:usb", "device=usb\n"), ("edgetpu:1", "device=:1\n")],
)
def test_edgetpu_runs_the_compiled_detector(
    compiled: Path, stub: Path, tmp_path: Path, device: str, options: str
) -> None:
    answers = delegates.record_answers(compiled, tmp_path / "answers")
    said = tmp_path / "options"
    done = run(open_on_edgetpu(compiled, device), stub, STUB_ANSWERS=answers, STUB_OPTIONS=said)
    about = json.loads(done.stdout)
    assert (about["device"], about["variant"]) == (device, "edgetpu")
    assert about["graphs"]["detector"]["device"] == "edgetpu"
    assert about["graphs"]["line"]["device"] == "cpu"
    assert said.read_text() == options


def test_reading_on_an_edgetpu_is_that_of_the_cpu(
    compiled: Path, stub: Path, tmp_path: Path
) -> None:
    with Reader(compiled, device="cpu", variant="int8", threads=1) as reader:
        expected = reader.read(photo())
    # without what the detector was compiled from nothing is compared when it is opened, and the
    # answers can be those for a photo
    frame, _ = letterbox(photo(), tiny.FRAME, tiny.FRAME, tiny.SETTINGS.detect.max_scale)
    answers = delegates.record_answers(compiled, tmp_path / "answers", frame)
    path = compiled / MANIFEST_NAME
    manifest = json.loads(path.read_text())
    graphs = manifest["variants"]["int8"]
    graphs["detector"] = manifest["variants"]["edgetpu"]["detector"]
    manifest["variants"] = {"edgetpu": graphs}
    manifest["default_variant"] = "edgetpu"
    path.write_text(json.dumps(manifest))
    np.save(tmp_path / "photo.npy", photo())
    code = (
        "import numpy as np\n"
        "from sdk import Reader\n"
        f"with Reader({str(compiled)!r}, device='edgetpu', threads=1) as reader:\n"
        f"    print(reader.read(np.load({str(tmp_path / 'photo.npy')!r})).to_json())\n"
    )
    done = run(code, stub, STUB_ANSWERS=answers)
    lines = json.loads(done.stdout)["lines"]
    assert [line["text"] for line in lines] == expected.texts == ["HEAD", "CAFE"]
    assert lines == json.loads(expected.to_json())["lines"]


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("wrong", "DeviceError The device edgetpu computes detector-edgetpu.tflite wrongly"),
        ("crash", "DeviceError libedgetpu crashes while loading (SIGSEGV)"),
        ("crash-run", "DeviceError libedgetpu crashes while running (SIGSEGV)"),
        ("fail-silently", "DeviceError No Edge TPU is attached"),
    ],
)
def test_edgetpu_that_does_not_work(
    compiled: Path, stub: Path, tmp_path: Path, mode: str, message: str
) -> None:
    answers = delegates.record_answers(compiled, tmp_path / "answers")
    done = run(open_on_edgetpu(compiled), stub, STUB_ANSWERS=answers, STUB_MODE=mode)
    assert done.returncode == 0
    assert done.stdout.startswith(message), done.stdout
    assert "Traceback" not in done.stderr
    if mode.startswith("crash"):
        assert "tflite-runtime 2.12 and newer" in done.stdout


def test_library_of_the_edgetpu_is_missing(compiled: Path) -> None:
    done = run(open_on_edgetpu(compiled), None)
    assert done.stdout.startswith("DeviceError The library of the Edge TPU is not installed")
    assert "libedgetpu1-std" in done.stdout


def test_models_for_another_device(tiny_bundle: Path, compiled: Path) -> None:
    with pytest.raises(DeviceError, match=r"variant fp32 .* is not compiled for the Edge TPU"):
        Reader(tiny_bundle, device="edgetpu")
    with pytest.raises(ModelError, match="compiled for the Edge TPU and cannot run on the CPU"):
        Reader(compiled, device="cpu", variant="edgetpu")
    with pytest.raises(ModelError, match='Use device="edgetpu"'):
        open_engine(Bundle.open(compiled, "edgetpu").graph("detector"), "cpu")


def test_command_line_says_it_in_one_line(compiled: Path, stub: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sdk", "check", "--model", str(compiled)]
    done = subprocess.run(
        [*command, "--device", "edgetpu"],
        env={**os.environ, "LD_LIBRARY_PATH": str(stub.parent), "STUB_MODE": "crash"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("fots-lite: error: libedgetpu crashes while loading (SIGSEGV)")
