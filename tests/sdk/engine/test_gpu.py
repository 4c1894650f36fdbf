"""The accelerator of ai-edge-litert on a GPU made of software (SwiftShader, a Vulkan driver)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sdk import Reader
from sdk.engine import placement
from sdk.engine.cpu import CpuEngine
from sdk.engine.equivalence import disagreement, sample_inputs
from sdk.engine.gpu import find_gpu_node
from sdk.errors import DeviceError
from sdk.model.bundle import Bundle
from tests import tiny

DRIVER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
WITHOUT = {"VK_ICD_FILENAMES": os.devnull}

needs_vulkan = pytest.mark.skipif(
    not DRIVER.is_file(), reason="needs the packages of tests/debian-packages.txt"
)


def vulkan(folder: Path) -> dict[str, str]:
    return {"VK_ICD_FILENAMES": str(DRIVER), "XDG_RUNTIME_DIR": str(folder)}


def photo() -> np.ndarray:
    return np.asarray(tiny.draw_photo([("HEAD", 8, 12), ("CAFE", 8, 76)], (128, 128)))


@needs_vulkan
@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_reads_on_the_gpu_what_the_cpu_reads(
    tiny_bundle: Path, tmp_path: Path, variant: str
) -> None:
    from PIL import Image

    Image.fromarray(photo()).save(tmp_path / "photo.png")
    with Reader(tiny_bundle, device="cpu", variant=variant, threads=1) as reader:
        expected = reader.read(photo())
    # a process of its own: the accelerator's environment stays in the process that opened it
    command = [sys.executable, "-m", "sdk", "read", str(tmp_path / "photo.png"), "--json"]
    command += ["--model", str(tiny_bundle), "--device", "gpu", "--variant", variant]
    environment = {**os.environ, **vulkan(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # the accelerator's notes are on neither stream, so this is JSON
    reading = json.loads(done.stdout)["reading"]
    assert reading["device"] == "gpu"
    assert [line["text"] for line in reading["lines"]] == expected.texts == ["HEAD", "CAFE"]
    for ours, theirs in zip(reading["lines"], expected.lines, strict=True):
        assert np.allclose(ours["quad"], theirs.quad, atol=1.0)
        assert ours["confidence"] == pytest.approx(theirs.confidence, abs=0.05)


def test_no_gpu_is_an_error_with_the_next_step(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in WITHOUT.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeviceError, match=r"finds no GPU.*mesa-vulkan-drivers.*device=\"cpu\""):
        Reader(tiny_bundle, device="gpu")


@needs_vulkan
def test_auto_keeps_the_cpu_that_is_faster_and_says_so(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the system shows a GPU, so that "auto" tries it: one made of software, on this tiny detector
    monkeypatch.setattr(placement, "find_gpu_node", lambda: Path("/dev/dri/renderD128"))
    for name, value in vulkan(tmp_path).items():
        monkeypatch.setenv(name, value)
    with Reader(tiny_bundle, threads=1) as reader:
        about = reader.describe()
    assert about["device"] == "cpu"
    assert about["passed_over"]["gpu"].startswith("The device is slower than the CPU: ")
    assert "No Edge TPU is attached" in about["passed_over"]["edgetpu"]


def test_auto_does_not_try_what_is_not_there(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "find_gpu_node", lambda: None)
    monkeypatch.setattr(placement, "probe", None)  # calling it would fail
    with Reader(tiny_bundle, threads=1) as reader:
        assert "shows no GPU" in reader.describe()["passed_over"]["gpu"]
    with Reader(tiny_bundle, variant="int8", threads=1) as reader:
        assert "int8 gains nothing" in reader.describe()["passed_over"]["gpu"]


def test_gpu_that_computes_wrongly_is_found_out(tiny_bundle: Path) -> None:
    graph = Bundle.open(tiny_bundle, "fp32").graph("detector")
    inputs = sample_inputs(graph.spec)
    expected = CpuEngine(graph, 1).run(inputs)
    assert disagreement(graph.spec, expected, expected) is None
    rounded = {k: v.astype(np.float16).astype(np.float32) for k, v in expected.items()}
    assert disagreement(graph.spec, rounded, expected) is None
    for name in ("score", "features"):
        for wrong in (expected[name] * 0.8, np.roll(expected[name], 1, axis=2)):
            text = disagreement(graph.spec, {**expected, name: wrong}, expected)
            assert text is not None
            assert text.startswith(f"{name} differs by")
        broken = expected[name].copy()
        broken[0, 0, 0, 0] = np.nan
        assert disagreement(graph.spec, {**expected, name: broken}, expected) is not None


def test_nodes_of_a_gpu(tmp_path: Path) -> None:
    (tmp_path / "dev/dri").mkdir(parents=True)
    (tmp_path / "dev/dri/card0").touch()
    assert find_gpu_node(tmp_path) is None
    (tmp_path / "dev/nvhost-gpu").touch()
    assert find_gpu_node(tmp_path) == tmp_path / "dev/nvhost-gpu"
