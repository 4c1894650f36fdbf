"""Initial weights of a new run from a bundle.

A bundle holds quantized graphs whose batch normalization is folded into the convolutions. The
weights are recovered to within half a quantization step. The normalization is recovered from the
statistics of a batch, so that the network computes the function of the graph and can be trained
further. A network with separable 3x3 convolutions starts from the nearest separable kernels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from sdk.charset import Charset
from sdk.engine.interpreter import find_interpreter
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle
from training.models.batch_norm import BatchNormalization
from training.models.build import layers_by_name
from training.models.classes import CLASSIFIERS, keep_classes
from training.models.folding import convolution_before
from training.models.separable import separate

__all__ = ["PACKAGED", "start_from_bundle", "weights_source"]

PACKAGED = "default"
"""Name of the packaged model as a source of weights."""

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def weights_source(name: Path | str) -> Path:
    """Return the folder of a source of weights; `PACKAGED` is the packaged model's."""
    return DEFAULT_BUNDLE if str(name) == PACKAGED else Path(name)


def start_from_bundle(folder: Path, model: keras.Model, inputs: Any, charset: Charset) -> list[str]:
    """Copy the convolutions of a bundle into a network and set its batch normalization.

    Recognizer and line graph hold layers of the same names. They are copied from the graph with
    more of the network's layers, from the recognizer if both have equally many.

    Args:
        folder: A bundle with an int8 or fp32 variant.
        model: Network to initialize, ``Built.trained``.
        inputs: Inputs of a training batch.
        charset: Charset of the network; classes are copied by character.

    Returns:
        Names of the copied convolutions: those that fit by name and shape.

    Raises:
        ModelError: The bundle is damaged.
    """
    bundle = Bundle.open(folder)
    layers = layers_by_name(model)
    graphs = [
        list(_convolutions(bundle.graph(role).path, set(layers)))
        for role in ("detector", "recognizer", "line")
        if role in bundle.roles
    ]
    old = bundle.manifest.charset
    copied: list[str] = []
    for graph in sorted(graphs, key=len, reverse=True):
        for name, kernel, bias in graph:
            if name in copied:
                continue
            if name in CLASSIFIERS:
                mixing = kernel.transpose(1, 2, 3, 0)
                done = keep_classes(layers[name], mixing, bias, old, charset)
            else:
                done = _assign(layers, name, kernel, bias)
            if done:
                copied.append(name)
    fresh = [
        layer
        for layer in layers.values()
        if isinstance(layer, BatchNormalization) and convolution_before(layer) in copied
    ]
    for layer in fresh:
        layer.unfolding = True
    try:
        model(keras.tree.map_structure(keras.ops.convert_to_tensor, inputs))
    finally:
        for layer in fresh:
            layer.unfolding = False
    return copied


def _assign(layers: dict[str, Any], name: str, kernel: np.ndarray, bias: np.ndarray) -> bool:
    """Set a convolution and its bias if the shapes agree."""
    layer = layers[name]
    # (out, rows, columns, in); (1, rows, columns, in) of a depthwise convolution
    kernel = kernel.transpose(1, 2, 3, 0)
    depthwise = layers.get(f"{name.removesuffix('_conv')}_depthwise")
    if depthwise is not None and kernel.shape[:2] == tuple(depthwise.kernel.shape)[:2]:
        places, kernel = separate(kernel)
        depthwise.kernel.assign(places)
    if tuple(layer.kernel.shape) != kernel.shape:
        return False
    # the converter multiplies a subsequent scale into the weights
    unit = layers.get(f"{name.removesuffix('_conv')}_px")
    scale = 1.0 if unit is None else float(unit.scale)
    layer.kernel.assign(kernel / scale)
    if layer.use_bias:
        layer.bias.assign(bias / scale)
    # the depthwise half of a separable convolution has no bias, and no normalization of its own
    elif (norm := layers.get(f"{name.removesuffix('_conv')}_bn")) is not None:
        norm.beta.assign(bias)
    return True


def _convolutions(path: Path, known: set[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield layer name, kernel (out, rows, columns, in) and bias of a graph's convolutions."""
    # without the delegate, which may free weights after packing them
    kinds = find_interpreter().module
    graph = kinds.Interpreter(
        str(path),
        experimental_op_resolver_type=kinds.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    tensors = {t["index"]: t for t in graph.get_tensor_details()}
    for operation in graph._get_ops_details():
        if operation["op_name"] not in _CONVOLUTIONS:
            continue
        kernel, bias = operation["inputs"][1:3]
        # fused operations carry the names of all their parts; Keras numbers repeated names
        parts = re.split(r"[/;]", tensors[kernel]["name"])
        names = [re.sub(r"_\d+$", "", p) if p not in known else p for p in parts]
        name = next((n for n in names if n in known and not n.endswith("_bn")), None)
        if name is not None:
            yield (
                name,
                _floats(graph.get_tensor(kernel), tensors[kernel]),
                _floats(graph.get_tensor(bias), tensors[bias]),
            )


def _floats(values: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    quantization = tensor["quantization_parameters"]
    scales = np.asarray(quantization["scales"], np.float32)
    if not len(scales):
        return values.astype(np.float32)
    shape = [1] * values.ndim
    shape[quantization["quantized_dimension"]] = len(scales)
    zeros = np.asarray(quantization["zero_points"]).reshape(shape)
    return (values.astype(np.float32) - zeros) * scales.reshape(shape)
