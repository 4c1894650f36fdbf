"""Convolution blocks of all networks, and the input of line networks.

The first argument of each block is the layer namespace, ``keras.layers`` or ``tf_keras.layers``.
Every layer has a name, because weights are copied between both by layer name.
"""

from __future__ import annotations

from typing import Any

import keras

from sdk.rectify.crop import CROP_HEIGHT
from training.models.batch_norm import BatchNormalization

__all__ = ["conv_3x3_bn", "conv_bn", "depthwise_bn", "line_input", "residual", "residual_3x3"]


def line_input(
    api: Any, name: str, normalize: bool, width: int | None, batch: int | None
) -> tuple[Any, Any]:
    """Return the input ``strip`` (N, 32, W, 3) of a line network, and the same as -1 to 1.

    Args:
        api: ``keras`` or ``tf_keras``.
        name: Name of the layer that scales pixels.
        normalize: Whether the input is uint8 pixels, which the layer scales; otherwise the input is
            float32 values -1 to 1.
        width: Fixed width in px; any if None.
        batch: Fixed batch; any if None.
    """
    dtype = "uint8" if normalize else "float32"
    image = api.Input((CROP_HEIGHT, width, 3), batch_size=batch, name="strip", dtype=dtype)
    if not normalize:
        return image, image
    return image, api.layers.Rescaling(1 / 127.5, offset=-1.0, name=name)(image)


def _finish(layers: Any, x: Any, name: str, active: bool, gamma: str = "ones") -> Any:
    # tf_keras' own layer has the fused kernel
    kind = BatchNormalization if layers is keras.layers else layers.BatchNormalization
    x = kind(momentum=0.98, epsilon=1e-3, gamma_initializer=gamma, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x) if active else x


def conv_bn(
    layers: Any,
    x: Any,
    filters: int,
    kernel: int | tuple[int, int],
    name: str,
    strides: int | tuple[int, int] = 1,
    active: bool = True,
    gamma: str = "ones",
) -> Any:
    """Return convolution, batch normalization and, if ``active``, ReLU6 of (N, H, W, C).

    ``gamma`` is the initializer of the normalization's scale.
    """
    x = layers.Conv2D(
        filters, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    return _finish(layers, x, name, active, gamma)


def depthwise_bn(
    layers: Any, x: Any, kernel: int | tuple[int, int], name: str, strides: int = 1
) -> Any:
    """Return depthwise convolution, batch normalization and ReLU6 of (N, H, W, C)."""
    # Larger kernels compute in float32 even under mixed precision: on CPUs the gradient of a 5x5
    # kernel takes five to seven times as long in bfloat16, that of a 3x3 kernel a fraction.
    x = layers.DepthwiseConv2D(
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        name=f"{name}_conv",
        dtype=None if kernel == 3 else "float32",
    )(x)
    return _finish(layers, x, name, True)


def conv_3x3_bn(layers: Any, x: Any, filters: int, name: str, separable: bool) -> Any:
    """Return a 3x3 convolution, batch normalization and ReLU6 of (N, H, W, C).

    If ``separable``, the convolution is a depthwise and a pointwise convolution without a rectifier
    between them (Chollet 2017, "Xception", section 4.7: a rectifier between the two does harm).
    This takes an eighth of the arithmetic, and every trained 3x3 kernel has a nearest separable
    kernel, see `separate`.
    """
    if not separable:
        return conv_bn(layers, x, filters, 3, name)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    return conv_bn(layers, x, filters, 1, name)


def residual(layers: Any, x: Any, y: Any, name: str, active: bool = False) -> Any:
    """Return x + y, rectified if ``active``; y is linear, as in MobileNetV2's bottlenecks."""
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x) if active else x


def residual_3x3(layers: Any, x: Any, name: str) -> Any:
    """Return the rectified sum of x (N, H, W, C), itself rectified, and a 3x3 convolution of x.

    Each shortcut spans one convolution. The rectifier after the sum costs nothing after conversion;
    without the rectifier, a chain of blocks would be linear. A new block returns x (Goyal et al.
    2017, "Accurate, Large Minibatch SGD", section 5.1), so that a trained network can grow by
    blocks.
    """
    y = conv_bn(layers, x, x.shape[-1], 3, name, active=False, gamma="zeros")
    return residual(layers, x, y, name, active=True)
