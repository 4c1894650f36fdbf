"""Small Keras models that keep the contract of a run's models."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import pytest

from convert.source.graphs import GRAPHS, Normalization, freeze, split_normalization
from convert.tflite.conversion import Conversion, convert_apart
from training.config import parse_config
from training.models.blocks import conv_bn, depthwise_bn
from training.models.build import build_models
from training.models.registry import Taps, trunk

Models = dict[str, Any]

CHANNELS = 16

TRUNK = "test_trunk"

CONFIG = f"""
[model]
kind = "{{kind}}"
[model.line]
stem = [8, 8, 16]
blocks = 1
[model.recognizer]
widths = [16, 16, 32]
row_blocks = [1, 1]
blocks = 2
kernel = 5
[model.detector]
trunk = "{TRUNK}"
features = 16
neck = [24, 24, 16]
head_blocks = 1
"""


@trunk(TRUNK)
def small_trunk(layers: Any, image: Any, fused: bool) -> Taps:
    """The networks are the real ones but for this trunk, which takes a hundredth of the time."""
    x = conv_bn(layers, image, 8, 3, "stem", strides=2)
    maps = []
    for stage, filters in enumerate((12, 16, 16, 24)):
        x = depthwise_bn(layers, x, 3, f"stage{stage}_dw", strides=2)
        x = conv_bn(layers, x, filters, 1, f"stage{stage}_pw")
        maps.append(x)
    return Taps(*maps)


@pytest.fixture(scope="session")
def models() -> Models:
    """A detector, a recognizer and a line model, their batch normalization not trivial."""
    keras.utils.set_random_seed(3)
    built: Models = {}
    for kind in ("fots", "line"):
        built |= build_models(parse_config(CONFIG.format(kind=kind)).model).parts
    rng = np.random.default_rng(3)
    for model in built.values():
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                gamma, beta, mean, variance = layer.get_weights()
                layer.set_weights(
                    [
                        rng.uniform(0.7, 1.3, gamma.shape),
                        rng.uniform(-0.2, 0.8, beta.shape),
                        rng.uniform(-0.1, 0.1, mean.shape),
                        rng.uniform(0.1, 0.4, variance.shape),
                    ]
                )
    return built


@pytest.fixture(scope="session")
def picture() -> Callable[[int, int, int], np.ndarray]:
    """Makes smooth random pictures: (seed, height, width) -> uint8 RGB."""

    def make(seed: int, height: int, width: int) -> np.ndarray:
        import cv2

        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), np.uint8)
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)

    return make


SHAPES = {
    "detector": (1, 64, 96, 3),
    "recognizer": (1, 8, 32, CHANNELS),
    "line": (1, 32, 128, 3),
}


@pytest.fixture(scope="session")
def samples(
    models: Models, picture: Callable[[int, int, int], np.ndarray]
) -> Callable[[str, int], np.ndarray]:
    """Makes inputs of a graph: (graph, number) -> uint8 pixels or float32 features."""

    def make(graph: str, number: int) -> np.ndarray:
        _, height, width, _ = SHAPES[graph]
        if graph != "recognizer":
            return np.stack([picture(seed, height, width) for seed in range(number)])
        photos = np.stack([picture(seed, 4 * height, 4 * width) for seed in range(number)])
        return np.asarray(models["detector"](photos)["features"])

    return make


@pytest.fixture(scope="session")
def converted(
    models: Models,
    samples: Callable[[str, int], np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], Path]:
    """Converts a graph for real, once: (graph, precision) -> .tflite file."""
    folder = tmp_path_factory.mktemp("converted")
    done: dict[tuple[str, str], Path] = {}

    def convert(graph: str, precision: str) -> Path:
        key = (graph, precision)
        if key in done:
            return done[key]
        kind = GRAPHS[graph]
        name = f"{graph}_{precision}"
        whole = precision == "int8" and kind.is_image
        model, norm = (
            split_normalization(models[graph], kind) if whole else (models[graph], Normalization())
        )
        freeze(
            model,
            kind,
            SHAPES[graph],
            folder / name,
            normalized=precision == "int8" or not kind.is_image,
        )
        calibration = None
        if precision == "int8":
            calibration = folder / f"{name}.npy"
            np.save(calibration, samples(graph, 12))
        target = folder / f"{name}.tflite"
        convert_apart(
            Conversion(
                folder / name,
                target,
                precision,
                kind.is_image,
                calibration,
                norm.scale,
                norm.offset,
            )
        )
        done[key] = target
        return target

    return convert
