"""The float model in tf_keras and the QAT model of a network.

The float model is the same network, built by the same functions from tf_keras layers, because
tensorflow-model-optimization supports only these. Every batch normalization and every fixed factor
is folded into the convolution before it, with the statistics of the trained network, so that tuning
trains the numbers of the integer graph. The QAT (quantization-aware training) model wraps each
layer of the float model so that it computes with quantized values (Jacob et al. 2018, "Quantization
and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", section 3).

The rules are not the library's defaults: its registry has one scale for all channels of depthwise
weights, quantizes a convolution's output before its rectifier too, and does not support resizing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.quantization import keras as tfmot

from convert.errors import ConvertError
from convert.source.recurrent import check_precisions
from training.config import ModelConfig
from training.models.fots import build_detector, build_recognizer
from training.models.line import build_line

__all__ = [
    "PIXELS",
    "build_float_model",
    "folded_weights",
    "observe",
    "quantize",
    "run_named",
    "to_grid",
]

PIXELS = (-128 / 127.5, 127 / 127.5)
"""Range of normalized pixels on whose grid the raw pixel is the quantized value, zero at 128."""

_WEIGHTED = {"Conv2D": "kernel", "DepthwiseConv2D": "depthwise_kernel"}
# Layers whose outputs are on the grid of their inputs.
_SAME_GRID = {"InputLayer", "UpSampling2D", "MaxPooling2D", "Reshape", "ZeroPadding2D"}
_QUANTIZED = {"ReLU", "Add", "Concatenate", "AveragePooling2D", *_WEIGHTED}
_FOLDED = ("BatchNormalization", "Rescaling")
_SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
"""Candidate ranges of an activation, as shares of its extremes."""
_BORDER = 2
"""Columns at the end of a tensor that do not count for its range.

A line network marks the end of its picture in these columns, by values several times higher than
all others. A range with these values would make the grid coarse for the text; clipped, they still
are the highest. Other networks have ordinary values in these columns.
"""
_SPACING = 7  # only every seventh batch serves the choice of the share


def _identity(*_: Any, **__: Any) -> Any:
    return lambda x: x


class _FoldedLayers:
    """tf_keras' layers without the folded ones; every convolution has a bias instead."""

    def __getattr__(self, name: str) -> Any:
        if name in _FOLDED:
            return _identity
        if name not in _WEIGHTED:
            return getattr(tf_keras.layers, name)
        return lambda *a, **k: getattr(tf_keras.layers, name)(*a, **{**k, "use_bias": True})


_API = SimpleNamespace(
    layers=_FoldedLayers(),
    initializers=tf_keras.initializers,
    Input=tf_keras.Input,
    Model=tf_keras.Model,
)


def build_float_model(name: str, config: ModelConfig | None, source: Any) -> Any:
    """Return the float model of a network in tf_keras, with its normalization folded.

    Args:
        name: ``"detector"``, ``"recognizer"`` or ``"line"``.
        config: Configuration of the network.
        source: The Keras network with the weights.

    Returns:
        A tf_keras model with the same outputs; image inputs are float32, normalized to -1..1.

    Raises:
        ConvertError: A layer cannot be folded, or the network does not fit its configuration.
    """
    if config is None:
        raise ConvertError(f"The {name} network has no configuration, which tuning requires.")
    check_precisions(source, ["int8"])
    if name == "recognizer":
        model = build_recognizer(_API, config)
    elif name == "detector":
        model = build_detector(_API, config, normalize=False)
    else:
        model = build_line(_API, config, normalize=False)
    weights = folded_weights(source)
    for layer in model.layers:
        if not layer.weights:
            continue
        values = weights.get(layer.name)
        if values is None or [v.shape for v in values] != [tuple(w.shape) for w in layer.weights]:
            raise ConvertError(
                f"The {name} network has no layer {layer.name} of the shapes its configuration "
                "describes. Tune the run with the version that trained it."
            )
        layer.set_weights(values)
    return model


def folded_weights(model: Any) -> dict[str, list[np.ndarray]]:
    """Return folded kernel and bias of each convolution, by layer name.

    Args:
        model: A Keras network.

    Raises:
        ConvertError: A batch normalization or a factor does not follow a convolution.
    """
    found: dict[str, list[np.ndarray]] = {}
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in _WEIGHTED:
            kernel, *bias = layer.get_weights()
            channels = kernel.shape[2] * kernel.shape[3] if kind[0] == "D" else kernel.shape[3]
            found[layer.name] = [kernel, bias[0] if bias else np.zeros(channels, np.float32)]
        elif kind in _FOLDED:
            before = layer.input._keras_history.operation
            if type(before).__name__ == "InputLayer":
                continue  # normalization of pixels: the model's input is normalized
            if before.name not in found:
                raise ConvertError(
                    f"{layer.name} follows {before.name}, which is not a convolution: it cannot be "
                    "folded for quantization-aware tuning."
                )
            factor, offset = _affine(layer)
            kernel, bias = found[before.name]
            if type(before).__name__ == "DepthwiseConv2D" and np.ndim(factor):
                kernel = kernel * factor.reshape(kernel.shape[2:])
            else:
                kernel = kernel * factor
            found[before.name] = [
                kernel.astype(np.float32),
                (bias * factor + offset).astype(np.float32),
            ]
            found[layer.name] = found[before.name]  # a factor may follow a normalization
    return found


def _affine(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return factor and offset of an affine layer."""
    if type(layer).__name__ == "Rescaling":
        return np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)
    gamma, beta, mean, variance = (np.asarray(v, np.float64) for v in layer.get_weights())
    factor = gamma / np.sqrt(variance + layer.epsilon)
    return factor, beta - mean * factor


class Channels(tfmot.quantizers.Quantizer):
    """Weights on an int8 grid, symmetric, with a scale for each output channel."""

    def __init__(self, depthwise: bool) -> None:
        """Create the quantizer; ``depthwise`` says whether the convolution is depthwise."""
        self.depthwise = depthwise

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Return no variables: the scales follow from the weights."""
        return {}

    def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
        """Return the quantized kernel (rows, columns, in, out)."""
        # a depthwise kernel is (rows, columns, in, multiplier): the last two axes are its channels
        flat = tf.reshape(inputs, (*inputs.shape[:2], -1)) if self.depthwise else inputs
        axes = list(range(len(flat.shape) - 1))
        most = tf.maximum(tf.reduce_max(tf.abs(tf.stop_gradient(flat)), axes), 1e-8)
        grid = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            flat, -most, most, num_bits=8, narrow_range=True
        )
        return tf.reshape(grid, inputs.shape)

    def get_config(self) -> dict[str, Any]:
        """Return the settings."""
        return {"depthwise": self.depthwise}


class Range(tfmot.quantizers.Quantizer):
    """Activations on an int8 grid whose range `observe` sets."""

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Return the variables of the range."""
        return {
            end: layer.add_weight(
                f"{name}_{end}",
                initializer=tf_keras.initializers.Constant(value),
                trainable=False,
            )
            for end, value in (("min", -6.0), ("max", 6.0))
        }

    def __call__(self, inputs: Any, training: Any, weights: Any, **_: Any) -> Any:
        """Return the quantized values."""
        return tf.quantization.fake_quant_with_min_max_vars(inputs, weights["min"], weights["max"])

    def get_config(self) -> dict[str, Any]:
        """Return no settings."""
        return {}


class Rule(tfmot.QuantizeConfig):
    """Quantized weights and outputs of a layer."""

    def __init__(self, weights: str = "", output: bool = False) -> None:
        """Create the rule.

        Args:
            weights: Name of the layer's kernel; "" for none.
            output: Whether the layer's output is quantized.
        """
        self.weights = weights
        self.output = output

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        """Return the kernel with its quantizer."""
        if not self.weights:
            return []
        return [(getattr(layer, self.weights), Channels(self.weights.startswith("depthwise")))]

    def set_quantize_weights(self, layer: Any, quantize_weights: Any) -> None:
        """Set the layer's quantized kernel."""
        if self.weights:
            setattr(layer, self.weights, quantize_weights[0])

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        """Return nothing: rectifiers are layers of their own."""
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: Any) -> None:
        """Check that there are no activations to set."""
        assert not quantize_activations

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """Return the quantizer of the output."""
        return [Range()] if self.output else []

    def get_config(self) -> dict[str, Any]:
        """Return the settings."""
        return {"weights": self.weights, "output": self.output}


class _AsAnnotated(tfmot.QuantizeScheme):
    """Quantizes annotated layers and changes nothing else."""

    def get_layout_transformer(self) -> Any:
        """Return a transform that changes no layer."""
        return _Unchanged()

    def get_quantize_registry(self) -> Any:
        """Return a registry without default rules."""
        return _NoDefaults()


class _Unchanged(tfmot.QuantizeLayoutTransform):
    def apply(self, model: Any, layer_quantize_map: Any) -> Any:
        return model, layer_quantize_map


class _NoDefaults(tfmot.QuantizeRegistry):
    def supports(self, layer: Any) -> bool:
        return False

    def get_quantize_config(self, layer: Any) -> None:
        return None


def quantize(model: Any) -> Any:
    """Return the QAT model of a float model; its ranges are not set yet.

    Raises:
        ConvertError: A layer has no rule.
    """

    def annotate(layer: Any) -> Any:
        kind = type(layer).__name__
        if kind in _SAME_GRID:
            return layer
        if kind not in _QUANTIZED:
            raise ConvertError(
                f"No rule to quantize {layer.name}, a {kind} layer, in tuning. Export it with "
                "quantization after training instead (without --tuned)."
            )
        after = [node.outbound_layer for node in layer.outbound_nodes]
        rectified = len(after) == 1 and type(after[0]).__name__ == "ReLU"
        # the converter fuses a rectifier into the convolution or sum before it
        rule = Rule(_WEIGHTED.get(kind, ""), not (kind in (*_WEIGHTED, "Add") and rectified))
        return tfmot.quantize_annotate_layer(layer, rule)

    annotated = tf_keras.models.clone_model(model, clone_function=annotate)
    annotated.set_weights(model.get_weights())
    with tfmot.quantize_scope({"Rule": Rule}):
        return tfmot.quantize_apply(annotated, _AsAnnotated(), quantized_layer_name_prefix="")


def to_grid(x: Any, ends: tuple[float, float]) -> Any:
    """Return values on the int8 grid of a range."""
    return tf.quantization.fake_quant_with_min_max_args(x, *ends)


def run_named(model: Any, x: Any) -> dict[str, Any]:
    """Return a model's outputs by name."""
    result = model(x, training=False)
    return dict(result) if isinstance(result, Mapping) else {"logits": result}


def observe(model: Any, quantized: Any, batches: Iterable[np.ndarray]) -> None:
    """Set the ranges of a QAT model from the activations of its float model.

    Each layer takes the range, among the shares `_SHARES` of its extremes, with the least squared
    error: rare extremes are clipped if the finer grid gains more (Choukroun et al. 2019, "Low-bit
    Quantization of Neural Networks for Efficient Inference", section 3). The last columns do not
    count.

    Args:
        model: Float model from `build_float_model`.
        quantized: QAT model from `quantize`.
        batches: float32 inputs.
    """
    rules = {wrapper.layer.name: wrapper for wrapper in _ranged(quantized)}
    whole = tf_keras.Model(model.input, [model.get_layer(name).output for name in rules])

    def taps(x: Any) -> list[Any]:
        values = whole(x, training=False)
        return [v[:, :, : tf.maximum(tf.shape(v)[2] - _BORDER, 1)] for v in values]

    @tf.function(autograph=False, reduce_retracing=True)
    def extremes(x: Any) -> tuple[Any, Any]:
        values = taps(x)
        return tf.stack(list(map(tf.reduce_min, values))), tf.stack(
            list(map(tf.reduce_max, values))
        )

    @tf.function(autograph=False, reduce_retracing=True)
    def errors(x: Any, low: Any, high: Any) -> Any:
        grids = tf.quantization.fake_quant_with_min_max_vars
        return tf.stack(
            [
                [tf.reduce_mean((grids(v, s * low[i], s * high[i]) - v) ** 2) for s in _SHARES]
                for i, v in enumerate(taps(x))
            ]
        )

    seen = [tf.constant(batch) for batch in batches]
    low, high = np.zeros(len(rules)), np.zeros(len(rules))  # zero is always on the grid
    for batch in seen:
        least, most = extremes(batch)
        low, high = np.minimum(low, least), np.maximum(high, most)
    high = np.maximum(high, low + 1e-6)
    ends = [tf.constant(end, tf.float32) for end in (low, high)]
    loss = np.sum([errors(batch, *ends).numpy() for batch in seen[::_SPACING]], axis=0)
    shares = np.array(_SHARES)[loss.argmin(1)]
    for rule, least, most in zip(rules.values(), shares * low, shares * high, strict=True):
        rule._output_quantizer_vars["min"].assign(least)
        rule._output_quantizer_vars["max"].assign(most)


def _ranged(quantized: Any) -> list[Any]:
    return [w for w in quantized.layers if getattr(w, "_output_quantizers", None)]
