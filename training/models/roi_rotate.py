"""RoIRotate as a Keras layer, differentiable with respect to the features.

Equal to the NumPy reference ``sdk.recognize.roi_rotate`` (FOTS, section 3.3, Liu et al. 2018).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["RoIRotate"]


class RoIRotate(keras.layers.Layer):
    """Crops rotated lines from feature maps as upright features of fixed height.

    Call with features (B, H, W, C), affines (B, K, 2, 3) and widths (B, K) from
    ``sdk.recognize.roi_rotate.roi_affine``; returns (B * K, height, width, C), zero in the columns
    after a line's own width.
    """

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        """Create the layer.

        Args:
            height: Rows of a line's features.
            width: Columns of a line's features.
            **kwargs: Arguments of the base layer.
        """
        super().__init__(**kwargs)
        self.height = height
        self.width = width

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of `__init__`."""
        return {**super().get_config(), "height": self.height, "width": self.width}

    def compute_output_shape(self, shapes: Any) -> tuple[Any, ...]:
        """Return (B * K, height, width, C)."""
        return (None, self.height, self.width, shapes[0][-1])

    def call(self, inputs: Any) -> Any:
        """Return the features of the lines."""
        features, affines, widths = inputs
        batch, rows, columns, channels = ops.shape(features)
        lines = ops.shape(affines)[1]
        # positions stay in float32 under mixed precision: bfloat16 counts cells up to 256 only
        a = ops.cast(affines, "float32")[..., None, None]  # (B, K, 2, 3, 1, 1)
        i = ops.arange(self.height, dtype="float32")[:, None]
        j = ops.arange(self.width, dtype="float32")[None]
        x, y = (a[:, :, d, 0] * j + a[:, :, d, 1] * i + a[:, :, d, 2] for d in (0, 1))
        x0, y0 = ops.floor(x), ops.floor(y)
        fx, fy = x - x0, y - y0

        # a border of zeros represents the outside
        padded = ops.pad(features, ((0, 0), (1, 1), (1, 1), (0, 0)))
        flat = ops.reshape(padded, (-1, channels))
        image = ops.reshape(ops.arange(batch), (-1, 1, 1, 1)) * ((rows + 2) * (columns + 2))
        valid = j < ops.cast(widths, "float32")[..., None, None]  # (B, K, 1, width)
        crops = 0.0
        for dy, wy in ((1, 1 - fy), (2, fy)):
            row = ops.cast(ops.clip(y0 + dy, 0, rows + 1), "int32")
            for dx, wx in ((1, 1 - fx), (2, fx)):
                column = ops.cast(ops.clip(x0 + dx, 0, columns + 1), "int32")
                index = image + row * (columns + 2) + column
                weight = ops.cast(ops.where(valid, wy * wx, 0.0), features.dtype)
                crops = crops + ops.take(flat, index, axis=0) * weight[..., None]
        # (B, K, height, width, C) -> (B * K, height, width, C)
        return ops.reshape(crops, (batch * lines, self.height, self.width, channels))
