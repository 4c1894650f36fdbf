from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from convert.errors import ConvertError
from convert.source.graphs import GRAPHS, Normalization, check_model, split_normalization
from convert.tflite.inspect import inspect_file, loose_arithmetic

Converted = Callable[[str, str], Path]
Samples = Callable[[str, int], np.ndarray]


def run(path: Path, x: np.ndarray) -> dict[str, np.ndarray]:
    """Runs a file by its tensors' positions; quantized tensors in and out are float."""
    graph = inspect_file(path)
    interpreter = Interpreter(str(path), num_threads=1)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, x.shape)
    interpreter.allocate_tensors()
    given = graph.inputs[0]
    if x.dtype == np.float32 and given.scale is not None:
        x = np.clip(np.round(x / given.scale) + given.zero_point, -128, 127).astype(np.int8)
    interpreter.set_tensor(index, x)
    interpreter.invoke()
    results = {}
    for tensor, details in zip(graph.outputs, interpreter.get_output_details(), strict=True):
        value = interpreter.get_tensor(details["index"]).astype(np.float32)
        if tensor.scale is not None:
            value = (value - tensor.zero_point) * tensor.scale
        results[tensor.name] = value
    return results


def reference(models: dict[str, Any], graph: str, x: np.ndarray) -> dict[str, np.ndarray]:
    result = models[graph](x, training=False)
    if not isinstance(result, dict):
        result = {"logits": result}
    return {name: np.asarray(value) for name, value in result.items()}


@pytest.mark.parametrize("graph", sorted(GRAPHS))
def test_float_graph_equals_keras(
    models: dict[str, Any], converted: Converted, samples: Samples, graph: str
) -> None:
    x = samples(graph, 2)[1:]
    found = run(converted(graph, "fp32"), x)
    expected = reference(models, graph, x)
    assert set(found) == set(expected) == set(GRAPHS[graph].outputs)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-3 * np.abs(value).max())


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 0.01), ("dynamic", 0.1)])
def test_smaller_weights_stay_close_to_keras(
    models: dict[str, Any], converted: Converted, samples: Samples, precision: str, tolerance: float
) -> None:
    x = samples("line", 2)[1:]
    path = converted("line", precision)
    found, expected = run(path, x)["logits"], reference(models, "line", x)["logits"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())
    assert path.stat().st_size < converted("line", "fp32").stat().st_size


@pytest.mark.parametrize("graph", sorted(GRAPHS))
def test_integer_graph_agrees_with_keras(
    models: dict[str, Any], converted: Converted, samples: Samples, graph: str
) -> None:
    x = samples(graph, 13)[12:]  # not among the twelve it was calibrated on
    found = run(converted(graph, "int8"), x)
    expected = reference(models, graph, x)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert np.corrcoef(found[name].ravel(), value.ravel())[0, 1] > 0.98, name
        assert np.abs(found[name] - value).mean() < 0.05 * np.abs(value).max(), name


@pytest.mark.parametrize("graph", sorted(GRAPHS))
def test_integer_graph_is_all_integer(converted: Converted, graph: str) -> None:
    found = inspect_file(converted(graph, "int8"))
    assert {op.dtype for op in found.ops} == {"int8"}
    assert {tensor.dtype for tensor in found.outputs} == {"int8"}
    assert found.inputs[0].dtype == ("uint8" if GRAPHS[graph].is_image else "int8")
    assert not {op.name for op in found.ops} & {"MUL", "CAST", "DEQUANTIZE", "RESHAPE", "TRANSPOSE"}


@pytest.mark.parametrize("graph", ["detector", "line"])
def test_raw_pixels_are_the_quantized_input(converted: Converted, graph: str) -> None:
    pixels = inspect_file(converted(graph, "int8")).inputs[0]
    assert pixels.scale == pytest.approx(1 / 127.5, rel=1e-5)
    assert pixels.zero_point in (127, 128)


@pytest.mark.parametrize("graph", sorted(GRAPHS))
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_batch_normalization_is_folded(converted: Converted, graph: str, precision: str) -> None:
    found = inspect_file(converted(graph, precision))
    assert loose_arithmetic(found) == []
    assert "CONV_2D" in {op.name for op in found.ops}


@pytest.mark.parametrize("graph", ["recognizer", "line"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_batch_and_width_can_be_resized(
    converted: Converted, samples: Samples, graph: str, precision: str
) -> None:
    path = converted(graph, precision)
    x = samples(graph, 3)
    half = np.ascontiguousarray(x[:, :, : x.shape[2] // 2])
    together = run(path, half)["logits"]
    columns = half.shape[2] if graph == "recognizer" else half.shape[2] // 4
    assert together.shape == (3, 1, columns, 96)
    wide = np.concatenate([x, x], axis=2)
    assert run(path, wide)["logits"].shape[2] == 4 * columns
    # Lines of a batch know nothing of each other.
    step = inspect_file(path).outputs[0].scale or 1e-4
    for line, alone in zip(together, half, strict=True):
        np.testing.assert_allclose(run(path, alone[None])["logits"][0], line, atol=1.5 * step)


def test_normalization_is_cut_off_with_the_weights_kept(
    models: dict[str, Any], samples: Samples
) -> None:
    core, norm = split_normalization(models["line"], GRAPHS["line"])
    assert (norm.scale, norm.offset) == (pytest.approx(1 / 127.5), pytest.approx(-1.0))
    x = samples("line", 1)
    found = np.asarray(core(x.astype(np.float32) * norm.scale + norm.offset)["logits"])
    np.testing.assert_allclose(found, np.asarray(models["line"](x)), atol=1e-4)


def test_model_without_normalization_is_left_whole() -> None:
    image = keras.Input((32, None, 3), name="strip")
    model = keras.Model(image, keras.layers.Conv2D(4, 3, (32, 4), padding="same")(image))
    core, norm = split_normalization(model, GRAPHS["line"])
    assert norm == Normalization(1.0, 0.0)
    assert core.inputs[0].dtype == "float32"


def test_normalization_that_differs_by_channel_is_refused() -> None:
    image = keras.Input((32, None, 3), name="strip")
    x = keras.layers.Rescaling([0.1, 0.2, 0.3])(image)
    model = keras.Model(image, keras.layers.Conv2D(4, 3)(x))
    with pytest.raises(ConvertError, match="same ones for all channels"):
        split_normalization(model, GRAPHS["line"])


def test_model_with_other_outputs_is_refused(models: dict[str, Any]) -> None:
    with pytest.raises(ConvertError, match=r"detector model gives .*features.*score"):
        detector = models["detector"]
        outputs = {**detector.output, "extra": detector.output["score"]}
        check_model(keras.Model(detector.inputs[0], outputs), GRAPHS["detector"])
    with pytest.raises(ConvertError, match="takes 16 channels; expected RGB"):
        check_model(models["recognizer"], GRAPHS["line"])
