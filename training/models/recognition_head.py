"""Recognition head: features (N, 8, T, C) to character logits (N, 1, T, classes).

A convolutional replacement of the LSTM decoder of FOTS, section 3.4 (Liu et al. 2018): strided
convolutions reduce the rows from 8 to 1, temporal depthwise blocks provide context along the line.
The head has no reshape and no transpose, so batch and width can change after conversion.
"""

from __future__ import annotations

from typing import Any

from training.config import RecognizerConfig
from training.models.blocks import conv_bn, depthwise_bn, residual, residual_3x3

__all__ = ["recognition_head"]


def recognition_head(layers: Any, features: Any, classes: int, config: RecognizerConfig) -> Any:
    """Return the logits of text lines.

    Args:
        layers: Layer namespace.
        features: (N, 8, T, C).
        classes: Number of characters plus the blank, class 0.
        config: Widths and depth.

    Returns:
        (N, 1, T, classes), without softmax.
    """
    *wide, third = config.widths
    x = features
    for rows, width, blocks in zip((4, 2), wide, config.row_blocks, strict=True):
        x = conv_bn(layers, x, width, 3, f"rec_rows{rows}", strides=(2, 1))
        for i in range(blocks):
            x = residual_3x3(layers, x, f"rec_rows{rows}_res{i}")
    x = conv_bn(layers, x, third, (2, 1), "rec_rows1", strides=(2, 1))
    for i in range(config.blocks):
        name = f"rec_time{i}"
        y = depthwise_bn(layers, x, (1, config.kernel), f"{name}_dw")
        y = conv_bn(layers, y, third, 1, f"{name}_pw", active=False)
        x = residual(layers, x, y, name)
    x = layers.ReLU(max_value=6.0, name="rec_last_relu")(x)
    # float32 even under mixed precision: CTC sums many small numbers
    return layers.Conv2D(classes, 1, name="rec_logits", dtype="float32")(x)
