"""Losses in ``keras.ops``, for every backend of Keras: ratios of sums over the whole batch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from sdk.charset import Charset
from training.models.global_sums import global_sums

__all__ = ["CtcLoss", "geometry_loss", "score_loss"]

_RANGE = 80.0
"""Greatest difference of the logits of a column in TensorFlow's CTC loss, in nats."""


def _ctc(labels: Any, lengths: Any, logits: Any, columns: Any) -> Any:
    """Return the negative log likelihood (N,) of label rows padded with zeros."""
    if keras.backend.backend() != "tensorflow":
        return ops.ctc_loss(labels, logits, lengths, columns, mask_index=0)
    # keras.ops calls TensorFlow's dense algorithm, a loop of 64 small operations: 1.8 ms a line
    # image measured on two cores. The sparse kernel takes a tenth of this time.
    import tensorflow as tf

    sparse = tf.sparse.from_dense(labels)
    # the kernel takes the logarithm of probabilities, which are 0 below e**-103
    logits = tf.maximum(logits, tf.reduce_max(logits, -1, keepdims=True) - _RANGE)
    # the kernel expects the blank as the last class
    moved = tf.concat([logits[..., 1:], logits[..., :1]], -1)
    sparse = tf.SparseTensor(sparse.indices, sparse.values - 1, sparse.dense_shape)
    return tf.compat.v1.nn.ctc_loss(
        sparse, moved, columns, time_major=False, ignore_longer_outputs_than_inputs=True
    )


class CtcLoss:
    """Mean CTC loss per line.

    Graves et al. 2006, "Connectionist Temporal Classification", equation 12; the blank is class 0.
    Rows without a label or without columns (padding among the RoIs) have no weight. In rows whose
    label stands for both cases, either case is right: the probabilities of a letter's two classes
    are added.
    """

    def __init__(self, charset: Charset) -> None:
        """Find the letters that the charset holds in both cases.

        Args:
            charset: Charset of the logits' classes.
        """
        partner = np.arange(charset.classes)
        self._shift = np.zeros(charset.classes, np.float32)
        for letter in charset.symbols:
            small = letter.lower()
            if small != letter and small in charset.symbols:
                upper, lower = charset.encode(letter + small).tolist()
                partner[upper] = lower
                # far below any logit, but finite: its gradient is 0
                self._shift[lower] = -1e4
        self._partner = partner
        self._is_upper = partner != np.arange(charset.classes)

    def __call__(self, target: Any, logits: Any) -> Any:
        """Return the loss of a batch.

        Args:
            target: int32 (N, 3 + L): column count, label length, 1 if the label, in upper case,
                stands for both cases, then the label padded with zeros.
            logits: (N, 1, T, classes).
        """
        target = ops.cast(target, "int32")
        logits = ops.cast(logits[:, 0], "float32")
        used = ops.logical_and(target[:, 0] > 0, target[:, 1] > 0)
        # the kernels refuse empty rows: these get one column, one label and weight 0
        columns = ops.where(used, target[:, 0], 1)
        lengths = ops.where(used, target[:, 1], 1)
        first = ops.cast(ops.arange(ops.shape(target)[1] - 3) == 0, "int32")
        labels = ops.where(used[:, None], target[:, 3:], first[None])
        logits = ops.where(target[:, 2, None, None] > 0, self._case_blind(logits), logits)
        nll = ops.where(used, _ctc(labels, lengths, logits, columns), 0.0)
        total, lines = global_sums(ops.sum(nll), ops.sum(ops.cast(used, "float32")))
        return total / ops.maximum(lines, 1.0)

    def _case_blind(self, logits: Any) -> Any:
        """Return logits (N, T, classes) whose upper-case classes stand for both cases."""
        other = ops.take(logits, self._partner, axis=-1)
        both = ops.where(self._is_upper, ops.logaddexp(logits, other), logits)
        return ops.add(both, self._shift)


def score_loss(target: Any, logits: Any) -> Any:
    """Return dice loss plus cross-entropy of the text score.

    Dice: Milletari et al. 2016, "V-Net", section 3. The cross-entropy is summed over all cells and
    divided by the number of text cells, so that its size does not depend on the share of text. It
    is not balanced between text and background as in EAST: balancing makes the probabilities of
    rare text far too high, so that they no longer separate text from similar patterns.

    Args:
        target: (B, h, w, 2): 1 for text, weight (0 for ignored cells).
        logits: (B, h, w, 1).
    """
    logits = ops.cast(logits[..., 0], "float32")
    text, weight = target[..., 0], target[..., 1]
    p = ops.sigmoid(logits)
    overlap, areas, entropy, cells = global_sums(
        ops.sum(weight * p * text),
        ops.sum(weight * (p * p + text)),
        ops.sum(weight * (ops.softplus(logits) - logits * text)),
        ops.sum(weight * text),
    )
    dice = 1 - 2 * (overlap + 1) / (areas + 2)
    return dice + 0.5 * entropy / ops.maximum(cells, 1.0)


_AXIS_WEIGHT = 5.0


def geometry_loss(target: Any, predicted: Any) -> Any:
    """Return IoU loss plus the losses of axis and direction, over the cells of text.

    EAST, equations 8 to 10 (Zhou et al. 2017), and FOTS, equation 4: the IoU is computed as if the
    angles of both boxes were equal; the angle's loss is 1 - cos of the difference. With the factor
    of ten of these papers, lines that may stand upside down dominate this loss, although shapes
    hardly show the direction. The factor is one here; five times the squared sine, which is equal
    for both directions, penalizes small differences of angle.

    Args:
        target: (B, h, w, 7): weight, px to top, bottom, start, end, cos and sin.
        predicted: (B, h, w, 6): px to top, bottom, start, end, cos and sin of any length.
    """
    predicted = ops.cast(predicted, "float32")
    weight, have, direction = target[..., 0], predicted[..., :4], predicted[..., 4:6]
    length = ops.sqrt(ops.sum(direction * direction, -1) + 1e-6)
    cosine = ops.sum(direction * target[..., 5:7], -1) / length
    # upside down, top is bottom and start is end
    top, bottom, start, end = (target[..., i : i + 1] for i in range(1, 5))
    want = ops.where(
        cosine[..., None] >= 0,
        ops.concatenate([top, bottom, start, end], -1),
        ops.concatenate([bottom, top, end, start], -1),
    )
    both = ops.minimum(want, have)

    def area(d: Any) -> Any:
        return (d[..., 0] + d[..., 1]) * (d[..., 2] + d[..., 3])

    inside = area(both)
    union = area(want) + area(have) - inside
    overlap = ops.log(union + 1.0) - ops.log(inside + 1.0)
    angle = 1 - cosine + _AXIS_WEIGHT * (1 - cosine * cosine)
    total, cells = global_sums(ops.sum(weight * (overlap + angle)), ops.sum(weight))
    return total / ops.maximum(cells, 1.0)
