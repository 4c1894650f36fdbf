"""The networks of a configuration."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import keras

from training.config import ModelConfig
from training.models.crnn import build_crnn
from training.models.fots import (
    build_detector,
    build_detector_training,
    build_recognizer,
    build_training,
)
from training.models.line import build_line

__all__ = ["Built", "build_models", "copy_by_name", "layers_by_name"]


@dataclass(frozen=True)
class Built:
    """Networks that share their weights.

    Attributes:
        trained: The network that is trained; its weights are those of all ``parts``.
        parts: The exported networks by name: ``line``, ``detector``, or ``detector``
            and ``recognizer``.
    """

    trained: keras.Model
    parts: dict[str, keras.Model]


def build_models(config: ModelConfig) -> Built:
    """Return newly initialized networks."""
    if config.kind == "detector":
        detector = build_detector(keras, config)
        return Built(build_detector_training(detector), {"detector": detector})
    if config.kind == "fots":
        detector = build_detector(keras, config)
        recognizer = build_recognizer(keras, config)
        whole = build_training(config, detector, recognizer)
        return Built(whole, {"detector": detector, "recognizer": recognizer})
    line = build_crnn(keras, config) if config.kind == "crnn" else build_line(keras, config)
    return Built(line, {"line": line})


def layers_by_name(model: Any) -> dict[str, Any]:
    """Return the layers of a model, including those of nested models, by name."""
    found: dict[str, Any] = {}
    for layer in model.layers:
        found.update(layers_by_name(layer) if hasattr(layer, "layers") else {layer.name: layer})
    return found


def copy_by_name(source: Any, target: Any, without: Collection[str] = ()) -> list[str]:
    """Copy weights between layers of the same name and the same shapes.

    Args:
        source: Model to copy from; its kind and its Keras may differ.
        target: Model to copy to.
        without: Names of layers that are not copied.

    Returns:
        Names of the copied layers.
    """
    have, copied = layers_by_name(source), []
    for name, layer in layers_by_name(target).items():
        if name not in have or name in without or not layer.weights:
            continue
        values = have[name].get_weights()
        if [v.shape for v in values] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(values)
            copied.append(name)
    return copied
