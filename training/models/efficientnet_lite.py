"""EfficientNet-Lite0 to Lite4.

Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", Table 1,
in the Lite form for integer hardware: ReLU6, no squeeze-and-excitation, stem width and the depth of
the first and last stage not scaled. Fused stages follow Tan & Le 2021, "EfficientNetV2", Figure 2:
one 3x3 convolution to four times the width replaces expansion and depthwise convolution. Fused
stages train faster on CPUs and use integer hardware better.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from training.models.blocks import conv_bn, depthwise_bn, residual
from training.models.registry import Taps, trunk

__all__ = ["efficientnet_lite"]


class _Stage(NamedTuple):
    kernel: int
    stride: int
    expand: int
    width: int
    repeats: int


_STAGES = (
    _Stage(3, 1, 1, 16, 1),
    _Stage(3, 2, 6, 24, 2),
    _Stage(5, 2, 6, 40, 2),
    _Stage(3, 2, 6, 80, 3),
    _Stage(5, 1, 6, 112, 3),
    _Stage(5, 2, 6, 192, 4),
    _Stage(3, 1, 6, 320, 1),
)
_FUSED = (1, 2)
_FUSED_EXPAND = 4
_STEM = 32
# the maps after these stages have strides 4, 8, 16 and 32
_TAPS = (1, 2, 4, 6)


def _rounded(width: float) -> int:
    """Return the nearest multiple of 8 that is at most a tenth smaller."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * width else nearest


def _block(
    layers: Any, x: Any, stage: _Stage, width: int, stride: int, fused: bool, name: str
) -> Any:
    inputs, channels = x, x.shape[-1]
    if fused:
        x = conv_bn(layers, x, channels * _FUSED_EXPAND, 3, f"{name}_fused", strides=stride)
    else:
        if stage.expand > 1:
            x = conv_bn(layers, x, channels * stage.expand, 1, f"{name}_expand")
        x = depthwise_bn(layers, x, stage.kernel, f"{name}_dw", strides=stride)
    x = conv_bn(layers, x, width, 1, f"{name}_project", active=False)
    if stride == 1 and channels == width:
        x = residual(layers, inputs, x, name)
    return x


def efficientnet_lite(
    layers: Any,
    image: Any,
    fused: bool,
    width_scale: float,
    depth_scale: float,
    shallow: bool = False,
) -> Taps:
    """Return the feature maps of an image (N, H, W, 3).

    If ``shallow``, the stages at strides 4 and 8 have one block each. Blocks are most expensive at
    these strides: without them the detector saves a sixth of its arithmetic.
    """
    x = conv_bn(layers, image, _STEM, 3, "trunk_stem", strides=2)
    taps = []
    for i, stage in enumerate(_STAGES):
        ends = i in (0, len(_STAGES) - 1)
        repeats = stage.repeats if ends else math.ceil(stage.repeats * depth_scale)
        if shallow and i in _FUSED:
            repeats = 1
        for j in range(repeats):
            x = _block(
                layers,
                x,
                stage,
                _rounded(stage.width * width_scale),
                stage.stride if j == 0 else 1,
                fused and i in _FUSED,
                f"trunk_s{i}_b{j}",
            )
        if i in _TAPS:
            taps.append(x)
    return Taps(*taps)


def _register(name: str, width_scale: float, depth_scale: float, shallow: bool = False) -> None:
    @trunk(name)
    def make(layers: Any, image: Any, fused: bool) -> Taps:
        return efficientnet_lite(layers, image, fused, width_scale, depth_scale, shallow)


for _name, _width, _depth in (
    ("efficientnet_lite0", 1.0, 1.0),
    ("efficientnet_lite1", 1.0, 1.1),
    ("efficientnet_lite2", 1.1, 1.2),
    ("efficientnet_lite3", 1.2, 1.4),
    ("efficientnet_lite4", 1.4, 1.8),
):
    _register(_name, _width, _depth)
_register("efficientnet_lite0_shallow", 1.0, 1.0, shallow=True)
