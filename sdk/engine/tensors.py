"""Conversion of arrays to a graph's tensors and back: dtypes and quantization."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.errors import ModelError, OptionError
from sdk.model.manifest import GraphSpec, TensorSpec

__all__ = ["from_tensors", "to_tensors"]


def to_tensors(spec: GraphSpec, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
    """Return the inputs of a graph in the graph's order, each in its tensor's dtype.

    Raises:
        OptionError: A name, dtype or shape does not fit.
    """
    names = [t.name for t in spec.inputs]
    if set(inputs) != set(names):
        raise OptionError(f"{spec.file} takes {', '.join(names)}; got {', '.join(inputs)}.")
    return [_to_tensor(t, inputs[t.name]) for t in spec.inputs]


def _to_tensor(tensor: TensorSpec, values: NDArray[Any]) -> NDArray[Any]:
    """Return an array in a tensor's dtype. Floats are quantized for a quantized tensor.

    Raises:
        OptionError: The dtype or shape does not fit.
    """
    array = np.ascontiguousarray(values)
    if array.ndim != len(tensor.shape) or 0 in array.shape or array.shape[-1] != tensor.shape[-1]:
        raise OptionError(
            f"{tensor.name} does not take the shape {list(array.shape)}. Give "
            f"{list(tensor.shape)}; the batch may differ, and the size too if the graph allows it."
        )
    if array.dtype == tensor.dtype:
        return array
    if array.dtype.kind != "f":
        raise OptionError(f"{tensor.name} takes {tensor.dtype} or floats; got {array.dtype}.")
    if tensor.dtype == "float32":
        return array.astype(np.float32)
    if tensor.scale is None or tensor.zero_point is None:
        raise OptionError(f"{tensor.name} takes {tensor.dtype}; got {array.dtype}.")
    limits = np.iinfo(tensor.dtype)
    steps = np.rint(array / np.float32(tensor.scale)) + tensor.zero_point
    return np.asarray(np.clip(steps, limits.min, limits.max), tensor.dtype)


def from_tensors(
    spec: GraphSpec, values: Mapping[str, NDArray[Any]], raw: Collection[str]
) -> dict[str, NDArray[Any]]:
    """Return the outputs of a graph by name, see `Engine.run`.

    Raises:
        ModelError: The axes or channels of an output do not fit its description, or a value is not
            finite.
    """
    outputs = {}
    for tensor in spec.outputs:
        found = values[tensor.name]
        if found.ndim != len(tensor.shape) or found.shape[-1:] != tensor.shape[-1:]:
            raise _useless(spec, f"{tensor.name} {list(found.shape)}, not {list(tensor.shape)}")
        if tensor.name not in raw:
            found = _from_tensor(tensor, found)
            if not np.isfinite(found).all():
                raise _useless(spec, f"{tensor.name} with values that are not finite")
        outputs[tensor.name] = found
    return outputs


def _useless(spec: GraphSpec, what: str) -> ModelError:
    return ModelError(f"{spec.file} gives {what}. Export or download the bundle again.")


def _from_tensor(tensor: TensorSpec, values: NDArray[Any]) -> NDArray[np.float32]:
    """Return a tensor's values as float32, dequantized."""
    out = values.astype(np.float32, copy=False)
    if tensor.scale is None or tensor.zero_point is None:
        return out
    out -= tensor.zero_point
    out *= np.float32(tensor.scale)
    return out
