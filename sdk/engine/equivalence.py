"""Comparison of a device's outputs with the CPU's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.model.manifest import GraphSpec

__all__ = ["disagreement", "sample_inputs"]

# Largest relative error. Half precision has about 0.001 per layer, a wrong kernel far more.
LIMIT = 0.05


def sample_inputs(spec: GraphSpec) -> dict[str, NDArray[Any]]:
    """Return reproducible random inputs with coarse and fine structure."""
    rng = np.random.default_rng(1)
    inputs = {}
    for tensor in spec.inputs:
        rough = rng.uniform(-1, 1, tensor.shape)
        if len(tensor.shape) == 4:  # flat areas with edges, as in pictures
            height, width = tensor.shape[1:3]
            coarse = rng.uniform(-1, 1, tensor.shape)[:, : -(-height // 16), : -(-width // 16)]
            coarse = coarse.repeat(16, axis=1).repeat(16, axis=2)[:, :height, :width]
            rough = 0.8 * coarse + 0.2 * rough
        if tensor.dtype != "float32":
            limits = np.iinfo(tensor.dtype)
            rough = limits.min + (rough + 1) / 2 * (limits.max - limits.min)
        inputs[tensor.name] = rough.astype(tensor.dtype)
    return inputs


def disagreement(
    spec: GraphSpec,
    found: Mapping[str, NDArray[np.float32]],
    expected: Mapping[str, NDArray[np.float32]],
) -> str | None:
    """Return how a device's outputs differ from the CPU's, None within rounding.

    Args:
        spec: Description of the graph.
        found: The device's outputs by name.
        expected: The CPU's outputs by name.
    """
    for tensor in spec.outputs:
        error = _rms(found[tensor.name] - expected[tensor.name])
        size = _rms(expected[tensor.name])
        # a difference of one quantization step is rounding
        if not error <= LIMIT * size + (tensor.scale or 1e-3):
            return (
                f"{tensor.name} differs by {error:.3g}, and the CPU's values are about {size:.3g}"
            )
    return None


def _rms(values: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
