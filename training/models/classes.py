"""Classifiers of another charset: the class of a character keeps its weights.

Lines of the new network that hold only characters of the old one are read as before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras.ops import convert_to_numpy

from sdk.charset import BLANK, Charset

__all__ = ["CLASSIFIERS", "keep_classes"]

CLASSIFIERS = ("rec_logits", "crnn_logits")
"""Names of the layers whose last axis is the classes of the charset."""


def keep_classes(
    layer: Any, kernel: np.ndarray, bias: np.ndarray, old: Charset, new: Charset
) -> bool:
    """Copy the classes that two charsets share; further classes keep the layer's kernels.

    A further class that was never trained (its bias is 0) starts with the least bias of all, so
    that it is not read before it is learned.

    Args:
        layer: Classifier of the new network.
        kernel: (…, channels, old classes).
        bias: (old classes,).
        old: Charset of kernel and bias.
        new: Charset of the layer.

    Returns:
        Whether the layer takes kernels of this shape; if not, it does not change.
    """
    fresh = np.array(convert_to_numpy(layer.kernel))
    if fresh.shape[:-1] != kernel.shape[:-1]:
        return False
    shared = [c for c in new.symbols if c in old]
    to = [BLANK, *new.encode("".join(shared)).tolist()]
    source = [BLANK, *old.encode("".join(shared)).tolist()]
    fresh[..., to] = kernel[..., source]
    biases = np.array(convert_to_numpy(layer.bias))
    biases[biases == 0] = bias.min()
    biases[to] = bias[source]
    layer.kernel.assign(fresh)
    layer.bias.assign(biases)
    return True
