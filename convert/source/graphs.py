"""The three graphs of a run, frozen for the converter.

A graph is written as a SavedModel whose only function has fixed shapes. With an open batch size the
converter would keep SHAPE/STRIDED_SLICE/PACK chains beside transposed convolutions, which split the
graph for every accelerator. The interpreter can still resize batch and width of a convolutional
graph.

The input of image graphs is uint8 0..255. Float graphs begin with CAST, MUL and ADD for the
normalization. Integer graphs start at the normalized tensor: its range -1..1 gives the uint8 input
the scale 1/127.5 and the zero point 128, so that the raw pixel *is* the quantized value. This
differs from the float normalization by 0.5/127.5, equally for all pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError

__all__ = ["GRAPHS", "GraphKind", "Normalization", "check_model", "freeze", "split_normalization"]


@dataclass(frozen=True)
class GraphKind:
    """The contract of one graph.

    Attributes:
        name: Name of the graph in a bundle and among a run's models.
        input: Name of the only input.
        is_image: Whether the input is uint8 RGB; otherwise the input is a feature map.
        outputs: Names of the outputs.
    """

    name: str
    input: str
    is_image: bool
    outputs: tuple[str, ...]


GRAPHS = {
    kind.name: kind
    for kind in (
        GraphKind(
            "detector", "image", True, ("score", "vertical", "horizontal", "angle", "features")
        ),
        GraphKind("recognizer", "features", False, ("logits",)),
        GraphKind("line", "strip", True, ("logits",)),
    )
}
"""The graphs of a bundle by name; the input of the line graph is called ``strip``."""

# Elementwise operations allowed between the input and the first convolution.
_ELEMENTWISE = {
    "Add",
    "Cast",
    "Divide",
    "Multiply",
    "Normalization",
    "Rescaling",
    "Subtract",
    "TrueDivide",
}


@dataclass(frozen=True)
class Normalization:
    """Normalization of pixels before the first layer: value * scale + offset."""

    scale: float = 1.0
    offset: float = 0.0


def named_outputs(model: Any, kind: GraphKind) -> dict[str, Any]:
    """Return a model's symbolic outputs by the names in the contract of its graph.

    Raises:
        ConvertError: The model has other outputs than the contract.
    """
    outputs = model.output
    if not isinstance(outputs, Mapping) and len(kind.outputs) == 1:
        only = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
        return {kind.outputs[0]: only}
    if not isinstance(outputs, Mapping) or set(outputs) != set(kind.outputs):
        found = sorted(outputs) if isinstance(outputs, Mapping) else type(outputs).__name__
        raise ConvertError(
            f"The {kind.name} model gives {found}; expected the outputs {sorted(kind.outputs)} "
            "by name. Train it with this version or rebuild the run's models."
        )
    return {name: outputs[name] for name in kind.outputs}


def check_model(model: Any, kind: GraphKind) -> None:
    """Check a run's model against the contract of its graph.

    Args:
        model: A Keras functional model.
        kind: Contract of the graph.

    Raises:
        ConvertError: The model has several inputs, a wrong rank or other outputs.
    """
    inputs = model.inputs
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[-1] is None:
        shapes = [tuple(i.shape) for i in inputs]
        raise ConvertError(
            f"The {kind.name} model has inputs of shape {shapes}; expected one, "
            "(batch, height, width, channels) with known channels."
        )
    if kind.is_image and inputs[0].shape[-1] != 3:
        raise ConvertError(
            f"The {kind.name} model takes {inputs[0].shape[-1]} channels; expected RGB, 3."
        )
    named_outputs(model, kind)


def split_normalization(model: Any, kind: GraphKind) -> tuple[Any, Normalization]:
    """Separate an image model from its normalization.

    Args:
        model: A Keras functional model with pixels 0..255 as input.
        kind: Contract of its graph.

    Returns:
        A model with the same weights and outputs and with normalized float32 pixels as input, and
        the normalization.

    Raises:
        ConvertError: The operations before the first layer are not one factor and one offset.
    """
    import keras

    tensor = model.inputs[0]
    while True:
        step = _only_elementwise_consumer(model, tensor)
        if step is None:
            break
        tensor = step
    core = keras.Model(tensor, named_outputs(model, kind))
    if tensor is model.inputs[0]:
        return core, Normalization()
    head = keras.Model(model.inputs[0], tensor)
    levels = np.arange(256)
    size = [1 if n is None else int(n) for n in model.inputs[0].shape[1:3]]
    grid = np.broadcast_to(levels[:, None, None, None], (256, size[0], size[1], 3))
    values = np.asarray(head(grid.astype(model.inputs[0].dtype)), np.float64)[:, 0, 0]
    offset = float(values[0].mean())
    scale = float((values[255] - values[0]).mean() / 255)
    expected = (levels * scale + offset)[:, None]
    if not np.allclose(values, expected, rtol=0, atol=1e-5 * max(1.0, abs(scale) * 255)):
        raise ConvertError(
            f"The {kind.name} model prepares its pixels by more than one factor and one offset; "
            "an integer graph needs the same ones for all channels."
        )
    return core, Normalization(scale, offset)


def _only_elementwise_consumer(model: Any, tensor: Any) -> Any | None:
    """Return the output of the only operation on `tensor` if elementwise, otherwise None."""
    consumers = [
        node
        for operation in model.operations
        for node in operation._inbound_nodes
        if any(source is tensor for source in node.input_tensors)
    ]
    if len(consumers) != 1 or type(consumers[0].operation).__name__ not in _ELEMENTWISE:
        return None
    node = consumers[0]
    if len(node.input_tensors) != 1 or len(node.output_tensors) != 1:
        return None
    return node.output_tensors[0]


def freeze(
    model: Any, kind: GraphKind, shape: tuple[int, int, int, int], folder: Path, *, normalized: bool
) -> None:
    """Write a model as a SavedModel of one function with a fixed input shape.

    Args:
        model: A Keras functional model, or its core from `split_normalization`.
        kind: Contract of the graph, whose names become the names of the signature.
        shape: Input shape (batch, height, width, channels).
        folder: Folder of the SavedModel.
        normalized: Whether the function's input is the model's float32 input (features, or
            normalized pixels); otherwise the input is uint8 pixels.

    Raises:
        ConvertError: Keras runs on another backend, or TensorFlow cannot trace or write the model.
    """
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise ConvertError(
            f"Keras runs on {keras.backend.backend()}; the converter is TensorFlow's. Set "
            "KERAS_BACKEND=tensorflow. Runs trained on any backend can be converted."
        )

    dtype = "float32" if normalized else "uint8"
    own_dtype = model.inputs[0].dtype

    def serve(x: Any) -> dict[str, Any]:
        if own_dtype != dtype:
            x = tf.cast(x, own_dtype)
        result = model(x, training=False)
        if isinstance(result, Mapping):
            return {name: result[name] for name in kind.outputs}
        return {kind.outputs[0]: result[0] if isinstance(result, (list, tuple)) else result}

    try:
        archive = keras.export.ExportArchive()
        archive.track(model)
        signature = [tf.TensorSpec(shape, dtype, name=kind.input)]
        archive.add_endpoint("serve", serve, input_signature=signature)
        archive.write_out(str(folder), verbose=False)
    except (OSError, tf.errors.OpError) as error:
        raise ConvertError(
            f"Could not write the frozen {kind.name} model: {error}\nCheck that {folder.parent} is "
            "writable and has space."
        ) from error
    except (ValueError, TypeError) as error:
        raise ConvertError(
            f"Could not freeze the {kind.name} model at input shape {shape}: {error}"
        ) from error
