"""Recurrent line network: convolutions, two bidirectional LSTM layers, CTC.

Shi, Bai and Yao 2017, "An End-to-End Trainable Neural Network for Image-based Sequence Recognition
and Its Application to Scene Text Recognition", table 1: seven convolutions of VGG's kind with
pooling between them, then two bidirectional LSTM layers. All convolutions are normalized here, and
the pooling keeps a quarter of the width, so that input and output are those of `build_line`, which
the same code trains, reads and exports.
"""

from __future__ import annotations

from typing import Any

from sdk.charset import Charset
from training.config import ModelConfig
from training.models.blocks import conv_bn, line_input

__all__ = ["build_crnn"]

_POOLING = {0: (2, 2), 1: (2, 2), 3: (2, 1), 5: (2, 1)}
"""Pooling after convolutions: 32 rows become 2."""


def build_crnn(
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
        width: Fixed width in px, a multiple of 4; any if None.
        batch: Fixed batch; any if None.
    """
    layers, crnn = api.layers, config.crnn
    image, x = line_input(api, "crnn_normalize", normalize, width, batch)
    *square, last = crnn.widths
    for i, filters in enumerate(square):
        x = conv_bn(layers, x, filters, 3, f"crnn{i}")
        if i in _POOLING:
            x = layers.MaxPooling2D(_POOLING[i], name=f"crnn{i}_pool")(x)
    x = conv_bn(layers, x, last, (2, 1), "crnn6", strides=(2, 1))
    # (N, 1, T, C) -> (N, T, C)
    x = layers.Reshape((-1, last), name="crnn_sequence")(x)
    for i in range(2):
        # float32 even under mixed precision, like the logits
        lstm = layers.LSTM(
            crnn.hidden, return_sequences=True, name=f"crnn_lstm{i}_one", dtype="float32"
        )
        x = layers.Bidirectional(lstm, name=f"crnn_lstm{i}", dtype="float32")(x)
    # (N, T, 2 * hidden) -> (N, 1, T, 2 * hidden)
    x = layers.Reshape((1, -1, 2 * crnn.hidden), name="crnn_columns")(x)
    classes = Charset(config.charset).classes
    logits = layers.Conv2D(classes, 1, name="crnn_logits", dtype="float32")(x)
    return api.Model(image, logits, name="line")
