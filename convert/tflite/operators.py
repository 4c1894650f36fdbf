"""The operations of a TFLite graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["CONVOLUTIONS", "Op", "count_macs", "shape_of"]

CONVOLUTIONS = {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"}


@dataclass(frozen=True)
class Op:
    """One operation of a graph.

    Attributes:
        name: Name such as ``CONV_2D``.
        version: Version of the operation in the file.
        dtype: Type of the first output.
        shape: Shape of the first output.
        macs: Number of multiply-accumulate operations (MACs).
        after: Name of the operation that computes the first varying input; "" for an input of the
            graph.
        constant: Whether an operand is a constant.
        inputs: Shapes of the varying inputs.
        input_dtypes: Types of the varying inputs.
        static: Whether all shapes are fixed in the file.
        options: Numbers and flags of the operation, such as ``alignCorners``.
    """

    name: str
    version: int
    dtype: str
    shape: tuple[int, ...]
    macs: int
    after: str
    constant: bool
    inputs: tuple[tuple[int, ...], ...] = ()
    input_dtypes: tuple[str, ...] = ()
    static: bool = True
    options: Mapping[str, int] = field(default_factory=dict)


def count_macs(op: str, inputs: Sequence[tuple[int, ...]], output: tuple[int, ...]) -> int:
    """Return the multiply-accumulate operations (MACs) of one operation.

    Args:
        op: Name of the operation.
        inputs: Shapes of all its inputs, in order.
        output: Shape of its first output.
    """
    if op not in CONVOLUTIONS:
        return 0
    weights = inputs[1]
    if op == "CONV_2D":  # weights (out, rows, columns, in)
        return int(np.prod(output) * np.prod(weights[1:]))
    if op == "DEPTHWISE_CONV_2D":  # weights (1, rows, columns, out)
        return int(np.prod(output) * np.prod(weights[1:3]))
    if op == "TRANSPOSE_CONV":  # inputs are (output shape, weights (out, rows, columns, in), x)
        return int(np.prod(inputs[2]) * np.prod(weights[:3]))
    return int(np.prod(output) * weights[-1])  # weights (out, in)


def shape_of(tensor: Any) -> tuple[int, ...]:
    """Return the shape of a tensor of the flatbuffer; empty for a scalar."""
    return () if tensor.shape is None else tuple(int(n) for n in tensor.shape)
