"""Wider networks from trained narrower networks.

After Chen, Goodfellow and Shlens 2016, "Net2Net", but new channels are initialized at random, not
as copies. The next layer gives them weight zero, so the wider network computes the function of the
narrower network, and its new channels learn from the first step.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import keras
import numpy as np

from training.models.build import layers_by_name

__all__ = ["widen_by_name"]


def widen_by_name(source: Any, target: Any, without: Collection[str] = ()) -> list[str]:
    """Copy the weights of narrower layers into wider ones of the same name.

    Args:
        source: Model to copy from.
        target: New model to copy to.
        without: Names of layers that do not change.

    Returns:
        Names of the widened layers. Layers that are not wider, that differ in more than their
        channels, or that have other classes, do not change.
    """
    have, widened = layers_by_name(source), []
    for name, layer in layers_by_name(target).items():
        if name not in have or name in without:
            continue
        narrow, fresh = have[name].get_weights(), layer.get_weights()
        if _is_wider(narrow, fresh):
            mixing = isinstance(layer, keras.layers.Conv2D)
            layer.set_weights([_grown(*pair, mixing) for pair in zip(narrow, fresh, strict=True)])
            widened.append(name)
    return widened


def _is_wider(narrow: list[np.ndarray], fresh: list[np.ndarray]) -> bool:
    have, want = [v.shape for v in narrow], [v.shape for v in fresh]
    # only output layers have a kernel and a bias: more channels are other classes
    if len(have) == 2 and have[0][-1:] != want[0][-1:]:
        return False
    return (
        have != want
        and [len(s) for s in have] == [len(s) for s in want]
        # rows and columns of kernels are equal
        and all(h[:-2] == w[:-2] for h, w in zip(have, want, strict=True))
        and all(n <= m for h, w in zip(have, want, strict=True) for n, m in zip(h, w, strict=True))
    )


def _grown(narrow: np.ndarray, fresh: np.ndarray, mixing: bool) -> np.ndarray:
    """Return the new weights with the narrow weights in their first channels."""
    grown = fresh.copy()
    if narrow.ndim > 1 and mixing:
        # (rows, columns, in, out): new channels have no weight in old channels
        grown[..., narrow.shape[-2] :, : narrow.shape[-1]] = 0
    grown[tuple(slice(n) for n in narrow.shape)] = narrow
    return grown
