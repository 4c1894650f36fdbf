"""Detection head: score and rotated-box geometry for each stride-4 cell.

The dense prediction of EAST (Zhou et al. 2017, section 3.3, RBOX) as in FOTS, with the angle as
(cos, sin) of the reading direction, which distinguishes a line from its reverse.
"""

from __future__ import annotations

from typing import Any

from training.models.blocks import conv_3x3_bn

__all__ = ["HORIZONTAL_PX", "VERTICAL_PX", "detection_head"]

VERTICAL_PX = 16.0
"""Pixels in a unit of the vertical distances, so that the convolution's weights are of order 1."""

HORIZONTAL_PX = 64.0
"""Pixels in a unit of the horizontal distances."""


def _distances(api: Any, x: Any, name: str, unit_px: float) -> Any:
    layers = api.layers
    # a positive bias keeps the rectifier active at the start of training
    y = layers.Conv2D(
        2, 1, bias_initializer=api.initializers.Constant(1.0), name=f"{name}_conv", dtype="float32"
    )(x)
    y = layers.Rescaling(unit_px, name=f"{name}_px", dtype="float32")(y)
    return layers.ReLU(name=name, dtype="float32")(y)


def detection_head(api: Any, features: Any, blocks: int, separable: bool = False) -> dict[str, Any]:
    """Return the detector's maps except the features.

    Args:
        api: ``keras`` or ``tf_keras``.
        features: (N, H / 4, W / 4, C).
        blocks: Number of 3x3 convolutions before the outputs.
        separable: Whether these convolutions are separable.

    Returns:
        ``score`` (…, 1) logits; ``vertical`` (…, 2) px to top and bottom; ``horizontal`` (…, 2) px
        to start and end; ``angle`` (…, 2) cos and sin, not normalized.
    """
    layers, constant = api.layers, api.initializers.Constant
    x = features
    for i in range(blocks):
        x = conv_3x3_bn(layers, x, 48, f"det_conv{i}", separable)
    # about one cell in ten is text
    score = layers.Conv2D(1, 1, bias_initializer=constant(-2.0), name="score", dtype="float32")(x)
    return {
        "score": score,
        "vertical": _distances(api, x, "vertical", VERTICAL_PX),
        "horizontal": _distances(api, x, "horizontal", HORIZONTAL_PX),
        "angle": layers.Conv2D(2, 1, name="angle", dtype="float32")(x),
    }
