from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from convert.errors import ConvertError
from convert.quantize.qat_model import (
    PIXELS,
    build_float_model,
    folded_weights,
    observe,
    quantize,
    run_named,
    to_grid,
)
from tests.convert.conftest import CHANNELS, CONFIG
from training.config import ModelConfig, parse_config

Samples = Callable[[str, int], np.ndarray]


def config_of(graph: str) -> ModelConfig:
    return parse_config(CONFIG.format(kind="line" if graph == "line" else "fots")).model


def normalized(graph: str, x: np.ndarray) -> np.ndarray:
    return x if graph == "recognizer" else x.astype(np.float32) / 127.5 - 1


@pytest.fixture(scope="module")
def float_models(models: dict[str, Any]) -> dict[str, Any]:
    return {name: build_float_model(name, config_of(name), model) for name, model in models.items()}


@pytest.fixture(scope="module")
def quantized(float_models: dict[str, Any], samples: Samples) -> dict[str, Any]:
    found = {}
    for name, model in float_models.items():
        found[name] = quantize(model)
        observe(model, found[name], [normalized(name, samples(name, 4))])
    return found


@pytest.mark.parametrize("graph", ["detector", "recognizer", "line"])
def test_float_model_gives_what_the_network_gives(
    graph: str, models: dict[str, Any], float_models: dict[str, Any], samples: Samples
) -> None:
    x = samples(graph, 2)
    expected = models[graph](x, training=False)
    expected = expected if isinstance(expected, dict) else {"logits": expected}
    found = run_named(float_models[graph], normalized(graph, x))
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("graph", ["detector", "recognizer", "line"])
def test_float_model_has_no_layer_left_to_fold(graph: str, float_models: dict[str, Any]) -> None:
    kinds = {type(layer).__name__ for layer in float_models[graph].layers}
    assert not kinds & {"BatchNormalization", "Rescaling"}


@pytest.mark.parametrize("graph", ["detector", "recognizer", "line"])
def test_qat_model_stays_near(
    graph: str, float_models: dict[str, Any], quantized: dict[str, Any], samples: Samples
) -> None:
    x = normalized(graph, samples(graph, 4))
    expected, found = run_named(float_models[graph], x), run_named(quantized[graph], x)
    for name, value in expected.items():
        assert np.corrcoef(np.ravel(found[name]), np.ravel(value))[0, 1] > 0.98, name
        assert not np.array_equal(found[name], value), name


def test_outputs_lie_on_a_grid_of_256_values(quantized: dict[str, Any], samples: Samples) -> None:
    maps = run_named(quantized["detector"], normalized("detector", samples("detector", 4)))
    for name, value in maps.items():
        assert len(np.unique(value)) <= 256, name


def test_only_kernels_and_biases_move(quantized: dict[str, Any]) -> None:
    names = {w.name.rpartition("/")[2] for w in quantized["detector"].trainable_weights}
    assert names == {"kernel:0", "depthwise_kernel:0", "bias:0"}


def test_depthwise_kernels_have_a_scale_for_each_channel(quantized: dict[str, Any]) -> None:
    (wrapper,) = (w for w in quantized["line"].layers if w.name == "rec_time0_dw_conv")
    ((kernel, quantizer, _),) = wrapper._weight_vars
    assert kernel.shape[:2] == (1, 5)
    values = np.linspace(0.1, 1, 5, dtype=np.float32)[:, None, None]
    values = np.float32(values * np.geomspace(1e-3, 1, kernel.shape[2])[:, None])[None]
    grid = np.asarray(quantizer(tf.constant(values), False, {}))
    # a scale shared by all channels would leave nothing of the smallest ones
    np.testing.assert_allclose(grid, values, rtol=0.05)


def test_resizing_gets_no_grid_of_its_own(quantized: dict[str, Any]) -> None:
    ups = [w for w in quantized["detector"].layers if isinstance(w, tf_keras.layers.UpSampling2D)]
    assert len(ups) == 3


def test_pixels_are_their_own_quantized_values() -> None:
    pixels = np.arange(256, dtype=np.float32)
    values = (pixels - 128) / 127.5
    np.testing.assert_allclose(to_grid(tf.constant(values), PIXELS), values, atol=1e-6)


def test_other_configuration_is_refused(models: dict[str, Any]) -> None:
    with pytest.raises(ConvertError, match=r"no layer .* of the shapes"):
        build_float_model("line", parse_config('[model]\nkind = "line"').model, models["line"])
    with pytest.raises(ConvertError, match="no configuration"):
        build_float_model("line", None, models["line"])


def test_factor_after_something_else_is_refused() -> None:
    x = keras.Input((8, None, CHANNELS))
    y = keras.layers.BatchNormalization(name="late")(keras.layers.ReLU(name="act")(x))
    with pytest.raises(ConvertError, match="late follows act, which is not a convolution"):
        folded_weights(keras.Model(x, y))


def test_layer_without_a_rule_is_refused() -> None:
    x = tf_keras.Input((8, 8, 3))
    model = tf_keras.Model(x, tf_keras.layers.Softmax(name="odd")(x))
    with pytest.raises(ConvertError, match="No rule to quantize odd, a Softmax layer"):
        quantize(model)


@pytest.mark.parametrize(("width", "most"), [(16, 1.0), (3, 1.0), (1, 50.0)])
def test_ranges_are_not_taken_from_the_last_columns(width: int, most: float) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (4, 2, width, 1)).astype(np.float32)
    x[:, :, -2:] = 50
    inputs = tf_keras.Input((2, None, 1))
    same = inputs
    for name in ("first", "second"):
        same = tf_keras.layers.Conv2D(1, 1, kernel_initializer="ones", name=name)(same)
    model = tf_keras.Model(inputs, same)
    quantized = quantize(model)
    observe(model, quantized, [x])
    found = np.asarray(quantized(x))
    assert found.max() == pytest.approx(most, rel=0.3)
    if width > 2:
        assert np.abs(found - x)[:, :, :-2].max() < 0.02
