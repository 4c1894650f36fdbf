"""FOTS-lite: detector, recognizer, and the model that trains both through RoIRotate.

Liu et al. 2018, "FOTS: Fast Oriented Text Spotting with a Unified Network", Figure 2: one set of
convolutional features serves detection and, cropped along rotated boxes, recognition.
"""

from __future__ import annotations

from typing import Any

import keras

from sdk.charset import Charset
from sdk.recognize.features import FEATURE_ROWS
from training.config import ModelConfig
from training.models import efficientnet_lite  # noqa: F401  (registers its trunks)
from training.models.detection_head import detection_head
from training.models.neck import neck
from training.models.recognition_head import recognition_head
from training.models.registry import create_trunk
from training.models.roi_rotate import RoIRotate

__all__ = [
    "build_detector",
    "build_detector_training",
    "build_recognizer",
    "build_training",
]


def build_detector(
    api: Any,
    config: ModelConfig,
    *,
    normalize: bool = True,
    size: tuple[int | None, int | None] = (None, None),
    batch: int | None = None,
) -> Any:
    """Return the model from ``image`` (N, H, W, 3) to a dict of stride-4 maps.

    Args:
        api: ``keras`` or ``tf_keras``.
        config: Widths and trunk.
        normalize: Whether the input is pixels 0 to 255, which the graph scales; otherwise the input
            is values -1 to 1.
        size: Fixed (height, width), multiples of 32, or None for any.
        batch: Fixed batch; any if None.

    Returns:
        Outputs ``score``, ``vertical``, ``horizontal``, ``angle`` (see `detection_head`) and
        ``features``.
    """
    layers, detector = api.layers, config.detector
    image = api.Input(
        (*size, 3), batch_size=batch, name="image", dtype="uint8" if normalize else "float32"
    )
    x = image
    if normalize:
        x = layers.Rescaling(1 / 127.5, offset=-1.0, name="image_normalize")(x)
    taps = create_trunk(detector.trunk, layers, x, detector.fused)
    features = neck(layers, taps, detector.neck, detector.features, detector.separable)
    maps = detection_head(api, features, detector.head_blocks, detector.separable)
    return api.Model(image, {**maps, "features": features}, name="detector")


def build_recognizer(
    api: Any, config: ModelConfig, *, columns: int | None = None, batch: int | None = None
) -> Any:
    """Return the model from ``features`` (N, 8, T, C) to ``logits`` (N, 1, T, classes).

    Args:
        api: ``keras`` or ``tf_keras``.
        config: Widths and charset.
        columns: Fixed T; any if None.
        batch: Fixed batch; any if None.
    """
    features = api.Input(
        (FEATURE_ROWS, columns, config.detector.features), batch_size=batch, name="features"
    )
    logits = recognition_head(
        api.layers, features, Charset(config.charset).classes, config.recognizer
    )
    return api.Model(features, logits, name="recognizer")


def _geometry(maps: dict[str, Any]) -> Any:
    """Return vertical, horizontal and angle as one map (B, h, w, 6)."""
    join = keras.layers.Concatenate(name="geometry", dtype="float32")
    return join([maps["vertical"], maps["horizontal"], maps["angle"]])


def build_detector_training(detector: Any) -> keras.Model:
    """Return the model that trains a detector alone.

    Input ``image`` (B, H, W, 3); outputs ``score`` (B, h, w, 1) and ``geometry`` (B, h, w, 6), like
    `build_training`.
    """
    image = keras.Input((None, None, 3), name="image", dtype="uint8")
    maps = detector(image)
    return keras.Model(
        {"image": image}, {"score": maps["score"], "geometry": _geometry(maps)}, name="detection"
    )


def build_training(config: ModelConfig, detector: Any, recognizer: Any) -> keras.Model:
    """Return the model that trains detector and recognizer together.

    Inputs ``image`` (B, H, W, 3), ``affines`` (B, K, 2, 3), ``widths`` (B, K); outputs ``score``
    (B, h, w, 1), ``geometry`` (B, h, w, 6) = vertical, horizontal, angle, and ``logits``
    (B * K, 1, T, classes).
    """
    image = keras.Input((None, None, 3), name="image", dtype="uint8")
    affines = keras.Input((None, 2, 3), name="affines")
    widths = keras.Input((None,), name="widths", dtype="int32")
    maps = detector(image)
    rotate = RoIRotate(FEATURE_ROWS, config.recognizer.columns, name="roi_rotate")
    logits = recognizer(rotate([maps["features"], affines, widths]))
    return keras.Model(
        {"image": image, "affines": affines, "widths": widths},
        {"score": maps["score"], "geometry": _geometry(maps), "logits": logits},
        name="fots",
    )
