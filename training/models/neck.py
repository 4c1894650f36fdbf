"""U-shaped neck: maps at strides 4 to 32 merged into the shared features at stride 4.

FOTS, section 3.2 (Liu et al. 2018): deep features represent the whole line, shallow features its
strokes. Lateral maps are added, not concatenated, which halves the arithmetic of the stride-4
merge.
"""

from __future__ import annotations

from typing import Any

from training.models.blocks import conv_3x3_bn, conv_bn
from training.models.registry import Taps

__all__ = ["neck"]


def neck(
    layers: Any, taps: Taps, widths: tuple[int, ...], features: int, separable: bool = False
) -> Any:
    """Return the shared features (N, H / 4, W / 4, features).

    Args:
        layers: Layer namespace.
        taps: Maps of the trunk.
        widths: Channels of the merges at strides 32, 16 and 8.
        features: Channels of the shared features.
        separable: Whether the merges are separable convolutions.
    """
    x = conv_bn(layers, taps.stride32, widths[0], 1, "neck_top")
    laterals = ((16, taps.stride16), (8, taps.stride8), (4, taps.stride4))
    for (stride, tap), width in zip(laterals, (*widths[1:], features), strict=True):
        name = f"neck_s{stride}"
        up = layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_up")(x)
        side = conv_bn(layers, tap, x.shape[-1], 1, f"{name}_side", active=False)
        x = layers.Add(name=f"{name}_add")([up, side])
        x = conv_3x3_bn(layers, x, width, f"{name}_merge", separable)
    return x
