"""Batch normalization by the fused kernels of TensorFlow and PyTorch.

Keras 3 computes the layer by single operations, which take a third of a training step on a CPU; a
fused kernel takes a fraction of this time. Processes that train together on PyTorch normalize by
the statistics of the whole batch, for which there is no kernel on a CPU.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from training.models.global_sums import global_sums, is_joined

__all__ = ["BatchNormalization"]


class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of (N, H, W, C), with the same weights and results.

    The class has the name of Keras' layer because weight files name layers after their class. The
    moving variance is updated by the unbiased variance of the batch, as in Keras 2. On other
    backends, and outside training, the layer of Keras runs.

    Attributes:
        unfolding: If set, the next call treats the layer as an offset of ``beta``, its state after
            folding into a convolution, and sets its weights from the statistics of the input
            without a change of the function.
    """

    unfolding = False

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalized inputs; in training, also update the moving statistics."""
        if self.unfolding:
            return self._unfold(inputs)
        fused = {"tensorflow": self._tensorflow, "torch": self._torch}.get(keras.backend.backend())
        if fused is None or not training or not self.trainable:
            return super().call(inputs, training=training, mask=mask)
        return fused(inputs)

    def _tensorflow(self, inputs: Any) -> Any:
        import tensorflow as tf

        result, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.cast(self.gamma, "float32"),
            tf.cast(self.beta, "float32"),
            epsilon=self.epsilon,
            is_training=True,
        )
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return result

    def _torch(self, inputs: Any) -> Any:
        if is_joined():
            return self._torch_joined(inputs)
        from torch.nn.functional import batch_norm

        result = batch_norm(
            inputs.permute(0, 3, 1, 2),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=True,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return result.permute(0, 2, 3, 1)

    def _torch_joined(self, inputs: Any) -> Any:
        import torch

        x = inputs.float()
        # in float64 a variance is the difference of two means without loss of digits
        total = x.sum((0, 1, 2), dtype=torch.float64)
        squares = (x * x).sum((0, 1, 2), dtype=torch.float64)
        rows = torch.full_like(total, x[..., 0].numel())
        total, squares, count = global_sums(total, squares, rows)
        mean = total / count
        variance = squares / count - mean * mean
        for moving, value in (
            (self.moving_mean, mean),
            (self.moving_variance, variance * count / (count - 1)),
        ):
            moving.assign(moving * self.momentum + value.float() * (1.0 - self.momentum))
        scale = self.gamma.value * torch.rsqrt(variance + self.epsilon).float()
        return ((x - mean.float()) * scale + self.beta.value).to(inputs.dtype)

    def _unfold(self, inputs: Any) -> Any:
        result = inputs + ops.cast(self.beta, inputs.dtype)
        mean, variance = ops.moments(ops.cast(inputs, "float32"), axes=[0, 1, 2])
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        self.gamma.assign(ops.sqrt(variance + self.epsilon))
        self.beta.assign(self.beta + mean)
        return result
