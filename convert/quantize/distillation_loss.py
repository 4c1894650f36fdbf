"""The distillation loss: distance of the QAT model's outputs from the float network's outputs.

Self-distillation (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network"): the float
network's outputs are the targets, so that tuning requires pictures but no labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

__all__ = ["distance"]

# Added to both distances of a ratio, in px: the size of a cell.
_CELL_PX = 4.0


def distance(want: Mapping[str, Any], have: Mapping[str, Any]) -> Any:
    """Return the distillation loss, a scalar; 0 for equal outputs.

    Args:
        want: Outputs of the teacher by name, float32.
        have: Outputs of the student, of the same shapes.
    """
    if "logits" in want:
        return _divergence(want["logits"], have["logits"])
    text = tf.sigmoid(want["score"])
    entropy = tf.nn.sigmoid_cross_entropy_with_logits
    score = entropy(text, have["score"]) - entropy(text, want["score"])
    # text cells are few, and only text cells have a geometry
    loss = tf.reduce_mean(score) + _mean(score, text)
    for name in ("vertical", "horizontal"):
        ratio = tf.math.log((have[name] + _CELL_PX) / (want[name] + _CELL_PX))
        loss += _mean(tf.abs(ratio), text)
    loss += _mean(tf.square(have["angle"] - want["angle"]), text)
    error = tf.reduce_mean(tf.square(have["features"] - want["features"]))
    return loss + error / (tf.reduce_mean(tf.square(want["features"])) + 1e-6)


def _divergence(want: Any, have: Any) -> Any:
    """Return the mean Kullback-Leibler divergence of the columns' character distributions."""
    p = tf.nn.softmax(want)
    return tf.reduce_mean(
        tf.reduce_sum(p * (tf.nn.log_softmax(want) - tf.nn.log_softmax(have)), -1)
    )


def _mean(values: Any, weight: Any) -> Any:
    """Return the mean of maps (..., c) with cell weights (..., 1)."""
    total = tf.reduce_sum(weight) * tf.cast(tf.shape(values)[-1], tf.float32)
    return tf.reduce_sum(weight * values) / (total + 1e-6)
