"""Line network: a strip of pixels, 32 rows high, to character logits at a quarter of its width.

Plain 3x3 convolutions bring the strip to 8 rows; from there on it is the recognition head of the
full network, whose weights can be taken over by name. Depthwise stages cost less arithmetic but
several times the training time on a CPU.
"""

from __future__ import annotations

from typing import Any

from sdk.charset import Charset
from sdk.rectify.crop import CROP_HEIGHT
from training.config import ModelConfig
from training.models.blocks import conv_bn, residual_3x3
from training.models.recognition_head import recognition_head

__all__ = ["build_line"]


def build_line(
    api: Any,
    config: ModelConfig,
    *,
    normalize: bool = True,
    width: int | None = None,
    batch: int | None = None,
) -> Any:
    """Return the model from ``strip`` (N, 32, W, 3) to ``logits`` (N, 1, W / 4, classes).

    Args:
        api: ``keras`` or ``tf_keras``.
        config: Widths and charset.
        normalize: Whether the graph takes pixels 0 to 255 and scales them itself; else it takes
            values -1 to 1.
        width: Fixed width in px, a multiple of 32; any if None.
        batch: Fixed batch; any if None.
    """
    layers = api.layers
    strip = api.Input(
        (CROP_HEIGHT, width, 3),
        batch_size=batch,
        name="strip",
        dtype="uint8" if normalize else "float32",
    )
    x = strip
    if normalize:
        x = layers.Rescaling(1 / 127.5, offset=-1.0, name="line_normalize")(x)
    first, second, third = config.line.stem
    x = conv_bn(layers, x, first, 3, "line_stem0", strides=2)
    x = conv_bn(layers, x, second, 3, "line_stem1")
    x = conv_bn(layers, x, third, 3, "line_stem2", strides=2)
    for i in range(config.line.blocks):
        x = residual_3x3(layers, x, f"line_res{i}")
    logits = recognition_head(layers, x, Charset(config.charset).classes, config.recognizer)
    return api.Model(strip, logits, name="line")
