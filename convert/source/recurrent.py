"""Recurrent line networks for the converter.

The converter turns an LSTM layer of tf_keras into one fused operation; the layers of Keras 3 become
loops, which the interpreter runs step by step. So the network is built again from tf_keras' layers,
with the same weights. The fused operation has its state in the graph: its batch cannot change, and
the SDK resets the state before each run. No integer form exists.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.source.graphs import GraphKind
from convert.source.saved_model import save_function
from training.config import ModelConfig

__all__ = ["FUSED", "check_precisions", "freeze_recurrent", "is_recurrent"]

FUSED = "UNIDIRECTIONAL_SEQUENCE_LSTM"
"""The fused operation, once for each direction."""

_PRECISIONS = ("fp32", "fp16")


def is_recurrent(model: Any) -> bool:
    """Tell whether a network has recurrent layers."""
    return any(type(layer).__name__ == "Bidirectional" for layer in model.layers)


def check_precisions(model: Any, precisions: Collection[str]) -> None:
    """Refuse precisions that a recurrent network cannot have.

    Raises:
        ConvertError: The network is recurrent and one of the precisions is not a float.
    """
    wrong = [p for p in precisions if p not in _PRECISIONS]
    if wrong and is_recurrent(model):
        raise ConvertError(
            f'A recurrent line network (model.kind = "crnn") has no {", ".join(wrong)} form: the '
            "converter fuses LSTM layers in floats only. Give --precision fp16 or fp32, or train a "
            'network of model.kind = "line", which is all-integer.'
        )


def freeze_recurrent(
    model: Any,
    config: ModelConfig | None,
    kind: GraphKind,
    shape: tuple[int, int, int, int],
    folder: Path,
) -> None:
    """Write a recurrent network as a SavedModel of one function with a fixed input shape.

    Args:
        model: The Keras network.
        config: Configuration of the network.
        kind: Contract of the graph.
        shape: Input shape (batch, height, width, channels), of uint8 pixels.
        folder: Folder of the SavedModel.

    Raises:
        ConvertError: The network does not fit its configuration, or TensorFlow cannot write it.
    """
    import tensorflow as tf
    import tf_keras

    from training.models.build import copy_by_name, layers_by_name
    from training.models.crnn import build_crnn

    if config is None:
        raise ConvertError(f"The {kind.name} network has no configuration to build it from again.")
    twin = build_crnn(tf_keras, config, width=shape[2], batch=shape[0])
    wanted = {name for name, layer in layers_by_name(twin).items() if layer.weights}
    missing = sorted(wanted - {*copy_by_name(model, twin)})
    if missing:
        raise ConvertError(
            f"The {kind.name} network has no layer {missing[0]} of the shapes its configuration "
            "describes. Export the run with the version that trained it."
        )

    def serve(x: Any) -> dict[str, Any]:
        return {kind.outputs[0]: twin(x, training=False)}

    save_function(serve, tf.TensorSpec(shape, tf.uint8, name=kind.input), twin, kind, folder)
