"""Line network: a line image 32 px high to character logits at a quarter of its width.

Plain 3x3 convolutions reduce the image to 8 rows. The rest is the recognition head of the full
network, so that weights can be copied by name. Depthwise stages would take less arithmetic but
several times the training time on a CPU. The network's input is called ``strip``, the name of the
tensor in bundles.
"""

from __future__ import annotations

from typing import Any

from sdk.charset import Charset
from training.config import ModelConfig
from training.models.blocks import conv_bn, line_input, residual_3x3
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
        normalize: Whether the input is pixels 0 to 255, which the graph scales; otherwise the input
            is values -1 to 1.
        width: Fixed width in px, a multiple of 32; any if None.
        batch: Fixed batch; any if None.
    """
    layers = api.layers
    image, x = line_input(api, "line_normalize", normalize, width, batch)
    first, second, third = config.line.stem
    x = conv_bn(layers, x, first, 3, "line_stem0", strides=2)
    x = conv_bn(layers, x, second, 3, "line_stem1")
    x = conv_bn(layers, x, third, 3, "line_stem2", strides=2)
    for i in range(config.line.blocks):
        x = residual_3x3(layers, x, f"line_res{i}")
    logits = recognition_head(layers, x, Charset(config.charset).classes, config.recognizer)
    return api.Model(image, logits, name="line")
