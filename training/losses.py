"""Losses, in ``keras.ops``, so that they run on TensorFlow and on JAX."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["ctc_loss"]


def _ctc(labels: Any, lengths: Any, logits: Any, columns: Any) -> Any:
    """Return the negative log likelihood (N,) of label rows padded with zeros."""
    if keras.backend.backend() != "tensorflow":
        return ops.ctc_loss(labels, logits, lengths, columns, mask_index=0)
    # keras.ops uses TensorFlow's dense algorithm: 64 loop turns of small operations, 1.8 ms a
    # strip measured on two cores where the sparse kernel takes a tenth of it.
    import tensorflow as tf

    sparse = tf.sparse.from_dense(labels)
    # the kernel wants the blank last
    moved = tf.concat([logits[..., 1:], logits[..., :1]], -1)
    sparse = tf.SparseTensor(sparse.indices, sparse.values - 1, sparse.dense_shape)
    return tf.compat.v1.nn.ctc_loss(
        sparse, moved, columns, time_major=False, ignore_longer_outputs_than_inputs=True
    )


def ctc_loss(target: Any, logits: Any) -> Any:
    """Return the mean CTC loss per line.

    Graves et al. 2006, "Connectionist Temporal Classification", equation 12; the blank is class 0.
    Rows without a label or without columns (padding among the RoIs) count nothing.

    Args:
        target: int32 (N, 2 + L): column count, label length, labels padded with zeros.
        logits: (N, 1, T, classes).
    """
    target = ops.cast(target, "int32")
    logits = ops.cast(logits[:, 0], "float32")
    used = ops.logical_and(target[:, 0] > 0, target[:, 1] > 0)
    # the kernels refuse empty rows: those get one column and one label, and weight 0
    columns = ops.where(used, target[:, 0], 1)
    lengths = ops.where(used, target[:, 1], 1)
    first = ops.cast(ops.arange(ops.shape(target)[1] - 2) == 0, "int32")
    labels = ops.where(used[:, None], target[:, 2:], first[None])
    nll = ops.where(used, _ctc(labels, lengths, logits, columns), 0.0)
    return ops.sum(nll) / ops.maximum(ops.sum(ops.cast(used, "float32")), 1.0)
