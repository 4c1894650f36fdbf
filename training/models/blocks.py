"""Convolution blocks shared by all networks.

Each takes the layer namespace first (``keras.layers`` or ``tf_keras.layers``) and names each layer,
since weights move between the two by layer name.
"""

from __future__ import annotations

from typing import Any

import keras

from training.models.batch_norm import BatchNormalization

__all__ = ["conv_bn", "depthwise_bn", "residual"]


def _finish(layers: Any, x: Any, name: str, active: bool) -> Any:
    # tf_keras has the fused kernel in its own layer
    kind = BatchNormalization if layers is keras.layers else layers.BatchNormalization
    x = kind(momentum=0.98, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x) if active else x


def conv_bn(
    layers: Any,
    x: Any,
    filters: int,
    kernel: int | tuple[int, int],
    name: str,
    strides: int | tuple[int, int] = 1,
    active: bool = True,
) -> Any:
    """Return convolution, batch normalization and, if ``active``, ReLU6 of (N, H, W, C)."""
    x = layers.Conv2D(
        filters, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    return _finish(layers, x, name, active)


def depthwise_bn(
    layers: Any, x: Any, kernel: int | tuple[int, int], name: str, strides: int = 1
) -> Any:
    """Return depthwise convolution, batch normalization and ReLU6 of (N, H, W, C)."""
    x = layers.DepthwiseConv2D(
        kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    return _finish(layers, x, name, True)


def residual(layers: Any, x: Any, y: Any, name: str) -> Any:
    """Return x + y; y is linear, as after MobileNetV2's bottlenecks."""
    return layers.Add(name=f"{name}_add")([x, y])
