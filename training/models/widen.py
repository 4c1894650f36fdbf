"""Wider networks from trained narrower ones.

After Chen, Goodfellow and Shlens 2016, "Net2Net", but new channels start at random instead of as
copies: what is behind them gives them no weight yet, so the wider network computes what the
narrower one did, and its new channels learn from the first step.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from training.models.build import layers_by_name

__all__ = ["widen_by_name"]


def widen_by_name(source: Any, target: Any) -> list[str]:
    """Copy the weights of narrower layers into wider ones of the same name.

    Args:
        source: Model to copy from.
        target: Freshly made model to copy to.

    Returns:
        Names of the layers widened; layers that are no wider, differ in more than their channels,
        or give other classes, are left alone.
    """
    have, widened = layers_by_name(source), []
    for name, layer in layers_by_name(target).items():
        if name not in have:
            continue
        narrow, fresh = have[name].get_weights(), layer.get_weights()
        if _is_wider(narrow, fresh):
            mixing = isinstance(layer, keras.layers.Conv2D)
            layer.set_weights([_grown(*pair, mixing) for pair in zip(narrow, fresh, strict=True)])
            widened.append(name)
    return widened


def _is_wider(narrow: list[np.ndarray], fresh: list[np.ndarray]) -> bool:
    have, want = [v.shape for v in narrow], [v.shape for v in fresh]
    # only what gives the network's outputs has a kernel and a bias: more of them are other classes
    if len(have) == 2 and have[0][-1:] != want[0][-1:]:
        return False
    return (
        have != want
        and [len(s) for s in have] == [len(s) for s in want]
        # rows and columns of kernels stay
        and all(h[:-2] == w[:-2] for h, w in zip(have, want, strict=True))
        and all(n <= m for h, w in zip(have, want, strict=True) for n, m in zip(h, w, strict=True))
    )


def _grown(narrow: np.ndarray, fresh: np.ndarray, mixing: bool) -> np.ndarray:
    """Return fresh weights with the narrow ones in their first channels."""
    grown = fresh.copy()
    if narrow.ndim > 1 and mixing:
        # (rows, columns, in, out): no new channel adds to an old one
        grown[..., narrow.shape[-2] :, : narrow.shape[-1]] = 0
    grown[tuple(slice(n) for n in narrow.shape)] = narrow
    return grown
