"""The CPU engine on real graphs: names, quantization, shapes, threads, failures."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdk.charset import Charset
from sdk.engine import open_engine
from sdk.engine.cpu import MAX_SHAPES
from sdk.engine.interpreter import Found, construction_error, find_interpreter
from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.model.bundle import Bundle, BundleGraph
from sdk.rectify.crop import pad_crops
from tests import tiny


def graph(folder: Path, role: str = "line", variant: str = "fp32") -> BundleGraph:
    return Bundle.open(folder, variant).graph(role)


def strips(texts: list[str], width: int) -> np.ndarray:
    return pad_crops([tiny.draw_line(text) for text in texts], width)


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_outputs_are_named_float32(tiny_bundle: Path, variant: str) -> None:
    engine = open_engine(graph(tiny_bundle, "detector", variant), "cpu", 1)
    photo = tiny.draw_photo([("AB", 24, 40)], (128, 128))
    outputs = engine.run({"image": photo[None]})
    assert {name: value.shape for name, value in outputs.items()} == {
        "score": (1, 32, 32, 1),
        "vertical": (1, 32, 32, 2),
        "horizontal": (1, 32, 32, 2),
        "angle": (1, 32, 32, 2),
        "features": (1, 32, 32, tiny.CHANNELS),
    }
    assert all(value.dtype == np.float32 for value in outputs.values())
    # the middle of the cell (12, 8) is at (34, 50), the line spans x 24..80, y 40..72
    assert outputs["score"][0, 12, 8, 0] == pytest.approx(6, abs=0.1)
    assert outputs["horizontal"][0, 12, 8] == pytest.approx((10, 46), abs=0.6)
    assert outputs["vertical"][0, 12, 8] == pytest.approx((10, 22), abs=0.6)
    assert outputs["angle"][0, 12, 8] == pytest.approx((1, 0), abs=0.02)


def test_int8_agrees_with_fp32(tiny_bundle: Path) -> None:
    strip = strips(["ABCDEFGH"], 256)
    full, small = (
        open_engine(graph(tiny_bundle, "line", v), threads=1).run({"strip": strip})["logits"]
        for v in ("fp32", "int8")
    )
    assert np.abs(full - small).max() < 0.02 * np.abs(full).max()


def test_other_batches_and_widths(tiny_bundle: Path) -> None:
    engine = open_engine(graph(tiny_bundle), threads=1)
    alone = [engine.run({"strip": strips([t], 128)})["logits"] for t in ("AB", "CDE", "H")]
    batch = engine.run({"strip": strips(["AB", "CDE", "H"], 128)})["logits"]
    assert batch.shape == (3, 1, 32, tiny.CHARSET.classes)
    assert batch == pytest.approx(np.concatenate(alone), abs=1e-4)


def test_a_run_that_fails_is_a_model_error(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(graph(tiny_bundle), threads=1)

    def fail(_: object) -> None:
        raise RuntimeError("node 3 (CONV_2D) failed to invoke")

    monkeypatch.setattr(find_interpreter().module.Interpreter, "invoke", fail)
    with pytest.raises(ModelError, match=r"cannot run .* node 3"):
        engine.run({"strip": strips(["AB"], 128)})


def test_kept_shapes_are_bounded_and_all_right(tiny_bundle: Path) -> None:
    engine = open_engine(graph(tiny_bundle), threads=1)
    widths = [32 * k for k in range(2, 2 + MAX_SHAPES + 3)]
    for width in [*widths, *widths[:3]]:
        logits = engine.run({"strip": strips(["AB"], width)})["logits"]
        ids = logits[0, 0].argmax(-1)
        assert Charset("ABCDEFGH").decode(dict.fromkeys(ids.tolist())) == "AB"
        assert logits.shape[2] == width // 4
    assert len(engine._interpreters) == MAX_SHAPES  # type: ignore[attr-defined]


def test_quantized_inputs_take_floats_and_steps(tiny_bundle: Path) -> None:
    entry = graph(tiny_bundle, "recognizer", "int8")
    engine = open_engine(entry, threads=1)
    tensor = entry.spec.input("features")
    assert tensor.scale is not None and tensor.zero_point is not None
    steps = np.random.default_rng(0).integers(-128, 128, tensor.shape).astype(np.int8)
    floats = (steps.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)
    assert np.array_equal(
        engine.run({"features": steps})["logits"], engine.run({"features": floats})["logits"]
    )
    # beyond the range of the steps the nearest one counts
    extreme = engine.run({"features": np.full(tensor.shape, 1e9, np.float32)})["logits"]
    most = engine.run({"features": np.full(tensor.shape, 127, np.int8)})["logits"]
    assert np.array_equal(extreme, most)


def test_outputs_do_not_change_later(tiny_bundle: Path) -> None:
    engine = open_engine(graph(tiny_bundle), threads=1)
    first = engine.run({"strip": strips(["AB"], 64)})["logits"]
    copy = first.copy()
    engine.run({"strip": strips(["HG"], 64)})
    assert np.array_equal(first, copy)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "takes strip; got"),
        ({"image": np.zeros((1, 32, 64, 3), np.uint8)}, "takes strip; got image"),
        ({"strip": np.zeros((32, 64, 3), np.uint8)}, "the shape \\[32, 64, 3\\]"),
        ({"strip": np.zeros((1, 32, 64, 4), np.uint8)}, "the shape \\[1, 32, 64, 4\\]"),
        ({"strip": np.zeros((0, 32, 64, 3), np.uint8)}, "the shape \\[0, 32, 64, 3\\]"),
        ({"strip": np.zeros((1, 32, 64, 3), np.int64)}, "takes uint8 or floats; got int64"),
        ({"strip": np.zeros((1, 32, 64, 3), np.float32)}, "takes uint8; got float32"),
    ],
)
def test_wrong_inputs_are_named(
    tiny_bundle: Path, inputs: dict[str, np.ndarray], message: str
) -> None:
    engine = open_engine(graph(tiny_bundle), threads=1)
    with pytest.raises(OptionError, match=message):
        engine.run(inputs)


def test_threads_do_not_mix_results(tiny_bundle: Path) -> None:
    engine = open_engine(graph(tiny_bundle, "line", "int8"), threads=1)
    texts = ["AB", "CD", "EF", "GH", "HAHA", "BEBE", "CAFE", "DEAD"]
    expected = [engine.run({"strip": strips([t], 128)})["logits"] for t in texts]
    wrong: list[str] = []

    def work(i: int) -> None:
        for k in range(20):
            width = 128 if k % 2 else 160
            logits = engine.run({"strip": strips([texts[i]], width)})["logits"][:, :, :28]
            if not np.array_equal(logits, expected[i][:, :, :28]):
                wrong.append(texts[i])

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_description(tiny_bundle: Path) -> None:
    described = open_engine(graph(tiny_bundle), threads=2).describe()
    assert described["threads"] == 2
    assert described["device"] == "cpu"
    assert described["interpreter"].startswith(("ai-edge-litert ", "tflite-runtime "))
    assert described["file"] == "line-fp32.tflite"


def test_closed_engine(tiny_bundle: Path) -> None:
    engine = open_engine(graph(tiny_bundle), threads=1)
    engine.close()
    engine.close()
    with pytest.raises(SdkError, match="closed"):
        engine.run({"strip": strips(["A"], 64)})


@pytest.mark.parametrize("arguments", [{"device": "npu"}, {"threads": 0}, {"threads": 1.5}])
def test_wrong_arguments(tiny_bundle: Path, arguments: dict[str, object]) -> None:
    (value,) = arguments.values()
    with pytest.raises(OptionError, match=repr(value)):
        open_engine(graph(tiny_bundle), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"no graph at all", b"\0" * 64])
def test_no_graph(tiny_bundle: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot run .*bad\.tflite"):
        open_engine(BundleGraph(path, graph(tiny_bundle).spec))


def changed(entry: BundleGraph, folder: Path, old: bytes, new: bytes) -> BundleGraph:
    """Return a graph with some of its bytes exchanged."""
    content = entry.path.read_bytes()
    assert old in content and len(old) == len(new)
    path = folder / "changed.tflite"
    path.write_bytes(content.replace(old, new))
    return BundleGraph(path, entry.spec)


def test_a_name_that_is_no_text(tiny_bundle: Path, tmp_path: Path) -> None:
    # tensors have it, and so the interpreter cannot say what it takes
    graph_of_others = changed(graph(tiny_bundle), tmp_path, b"serving_", b"serving\xff")
    with pytest.raises(ModelError, match=r"cannot run .*changed\.tflite.*Export the bundle again"):
        open_engine(graph_of_others)


def test_weights_that_are_no_numbers(tiny_bundle: Path, tmp_path: Path) -> None:
    bias = np.float32(-tiny.SHARPNESS * (tiny.colors() ** 2).sum(1)[1])
    nan = np.float32(np.nan)
    engine = open_engine(changed(graph(tiny_bundle), tmp_path, bias.tobytes(), nan.tobytes()))
    with pytest.raises(ModelError, match=r"gives logits with values that are not finite"):
        engine.run({"strip": strips(["AB"], 64)})


def test_description_must_fit_the_graph(tiny_bundle: Path) -> None:
    entry = graph(tiny_bundle, "line", "int8")
    strip = entry.spec.input("strip")
    for wrong in (
        replace(strip, shape=(1, 32, 128, 3)),
        replace(strip, dtype="float32"),
        replace(strip, index=3),
        replace(strip, scale=0.25),
        replace(strip, scale=None, zero_point=None),
    ):
        spec = replace(entry.spec, inputs=(wrong,))
        with pytest.raises(ModelError, match=r"not the graph that model\.json describes"):
            open_engine(BundleGraph(entry.path, spec))


def run_without(modules: list[str], code: str) -> str:
    """Run code in a fresh Python that cannot import some modules, return what it prints."""
    block = f"import sys\nfor name in {modules!r}: sys.modules[name] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", block + code], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_no_interpreter_installed() -> None:
    message = run_without(
        ["ai_edge_litert", "ai_edge_litert.interpreter", "tflite_runtime"],
        "from sdk.engine.interpreter import find_interpreter\n"
        "from sdk.errors import DeviceError\n"
        "try: find_interpreter()\n"
        "except DeviceError as error: print(error)\n",
    )
    assert "No TFLite interpreter can be used" in message
    assert "pip install ai-edge-litert" in message
    assert 'pip install tflite-runtime "numpy<2"' in message


def test_a_packed_program_without_interpreter() -> None:
    message = run_without(
        ["ai_edge_litert", "ai_edge_litert.interpreter", "tflite_runtime"],
        "from sdk.engine.interpreter import find_interpreter\n"
        "from sdk.errors import DeviceError\n"
        "sys.frozen = True\n"
        "try: find_interpreter()\n"
        "except DeviceError as error: print(error)\n",
    )
    assert "install one and pack it again" in message
    assert "pip install" not in message


def test_importing_the_engine_loads_no_interpreter() -> None:
    loaded = run_without(
        [],
        "import sdk.engine, sdk.reader\n"
        "names = ('ai_edge_litert', 'tflite_runtime', 'tensorflow')\n"
        "print([m for m in sys.modules if m.split('.')[0] in names])",
    )
    assert loaded.strip() == "[]"


def test_interpreter_that_does_not_start() -> None:
    error = construction_error(Found("tflite-runtime 2.14.0", None), SystemError("_ARRAY_API\nx"))
    assert isinstance(error, DeviceError)
    text = str(error)
    assert "tflite-runtime 2.14.0 does not start: _ARRAY_API." in text
    assert ('pip install "numpy<2"' in text) == (int(np.__version__.split(".")[0]) >= 2)
    other = str(construction_error(Found(find_interpreter().name, None), OSError("no libc")))
    assert "Install it again" in other
