"""Operations that each target supports, and the reasons against the others.

The interpreter's own CPU kernels compute the operations that a target does not support. Sources:
the documentation of TFLite's XNNPACK and GPU delegates and of the Edge TPU compiler, and models
that are published before and after this compiler. The compiler reads operations up to their
versions in TensorFlow 2.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from convert.tflite.operators import Op

__all__ = ["EDGETPU_VERSIONS", "TARGETS", "Target", "edgetpu_reason"]

_XNNPACK = {
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEQUANTIZE",
    "DIV",
    "ELU",
    "FULLY_CONNECTED",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOGISTIC",
    "MAX_POOL_2D",
    "MAXIMUM",
    "MEAN",
    "MINIMUM",
    "MUL",
    "PAD",
    "PRELU",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "SLICE",
    "SOFTMAX",
    "SPLIT",
    "STRIDED_SLICE",
    "SUB",
    "TANH",
    "TRANSPOSE",
    "TRANSPOSE_CONV",
}
_GPU = {
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEQUANTIZE",
    "EXP",
    "FULLY_CONNECTED",
    "HARD_SWISH",
    "LOGISTIC",
    "MAX_POOL_2D",
    "MAXIMUM",
    "MEAN",
    "MINIMUM",
    "MUL",
    "PAD",
    "PRELU",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
    "SLICE",
    "SOFTMAX",
    "STRIDED_SLICE",
    "SUB",
    "TANH",
    "TRANSPOSE_CONV",
}

EDGETPU_VERSIONS = {
    "ADD": 3,
    "ARG_MAX": 2,
    "AVERAGE_POOL_2D": 3,
    "CAST": 1,
    "CONCATENATION": 3,
    "CONV_2D": 5,
    "DEPTHWISE_CONV_2D": 6,
    "DEQUANTIZE": 4,
    "FULLY_CONNECTED": 9,
    "HARD_SWISH": 1,
    "LEAKY_RELU": 2,
    "LOGISTIC": 3,
    "MAX_POOL_2D": 3,
    "MEAN": 3,
    "MUL": 4,
    "PAD": 3,
    "PRELU": 1,
    "QUANTIZE": 2,
    "RESHAPE": 1,
    "RESIZE_BILINEAR": 4,
    "RESIZE_NEAREST_NEIGHBOR": 4,
    "SOFTMAX": 3,
    "SUB": 5,
    "TANH": 3,
    "TRANSPOSE_CONV": 3,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
}
"""Highest version of each operation in TensorFlow 2.5."""

# The operations of the Edge TPU itself.
_EDGETPU = set(EDGETPU_VERSIONS) - {"ARG_MAX", "CAST", "DEQUANTIZE", "HARD_SWISH", "LEAKY_RELU"}
_INTEGERS = {"int8", "uint8"}
_LONGEST_SOFTMAX = 16_000


@dataclass(frozen=True)
class Target:
    """A way to run a graph.

    Attributes:
        title: Name in tables.
        reason: Returns the reason for which an operation is left to the CPU kernels; "" if the
            target supports it.
    """

    title: str
    reason: Callable[[Op], str]

    def missing(self, ops: Sequence[Op]) -> dict[str, int]:
        """Return the number of unsupported operations by reason."""
        found: dict[str, int] = {}
        for op in ops:
            reason = self.reason(op)
            if reason:
                found[f"{op.name}: {reason}"] = found.get(f"{op.name}: {reason}", 0) + 1
        return found


def _xnnpack_reason(op: Op) -> str:
    if op.name not in _XNNPACK:
        return "XNNPACK has no such operation"
    if op.name == "QUANTIZE" and op.input_dtypes == ("uint8",):
        return "it only changes uint8 to int8"
    return "" if op.static else "its shape is open"


def _gpu_reason(op: Op) -> str:
    if op.name not in _GPU:
        return "the GPU delegate has no such operation"
    return "" if op.static else "its shape is open"


def edgetpu_reason(op: Op) -> str:
    """Return the reason for which the Edge TPU leaves an operation to the CPU; "" if none."""
    highest = EDGETPU_VERSIONS.get(op.name)
    if highest is None:
        return "the compiler knows no such operation"
    if op.version > highest:
        return f"version {op.version}, the compiler reads up to {highest}"
    if op.name not in _EDGETPU:
        return "the Edge TPU has no such operation"
    if not op.static:
        return "its shape is open; the compiler needs fixed sizes"
    for dtype in (*op.input_dtypes, op.dtype):
        if dtype not in _INTEGERS:
            return f"{dtype}; only quantized values run there"
    for shape in (*op.inputs, op.shape):
        if len(shape) > 3 and shape[0] != 1:
            return f"a batch of {shape[0]}; only 1 runs there"
        if sum(n > 1 for n in shape) > 3:
            return "more than three dimensions above 1"
    check = _LIMITS.get(op.name)
    return check(op, op.options) if check else ""


def _resize(op: Op, options: Any) -> str:
    if options.get("alignCorners"):
        return "with aligned corners"
    before, after = op.inputs[0][1:3], op.shape[1:3]
    if before == (1, 1) or after[0] > 2 * before[0] or after[1] > 2 * before[1]:
        return f"from {before[0]}x{before[1]} to {after[0]}x{after[1]}, more than twice the size"
    return ""


def _softmax(op: Op, _: Any) -> str:
    if int(np.prod(op.shape)) != op.shape[-1] or op.shape[-1] > _LONGEST_SOFTMAX:
        return "over more than one row, or too long a one"
    return ""


def _flat(op: Op, _: Any) -> str:
    return "" if int(np.prod(op.shape)) == op.shape[-1] else "its result is more than one row"


def _pool(_: Op, options: Any) -> str:
    return "with a fused rectifier" if options.get("fusedActivationFunction") else ""


def _dilated(_: Op, options: Any) -> str:
    across, down = options.get("dilationWFactor", 1), options.get("dilationHFactor", 1)
    return "" if across == down else "dilated differently across and down"


def _mean(op: Op, _: Any) -> str:
    if op.inputs and op.inputs[0][0] != op.shape[0]:
        return "over the batch"
    return ""


_LIMITS: dict[str, Callable[[Op, Any], str]] = {
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SOFTMAX": _softmax,
    "FULLY_CONNECTED": _flat,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "CONCATENATION": _pool,
    "CONV_2D": _dilated,
    "DEPTHWISE_CONV_2D": _dilated,
    "MEAN": _mean,
}

TARGETS = {
    "cpu": Target("CPU (XNNPACK)", _xnnpack_reason),
    "gpu": Target("GPU delegate", _gpu_reason),
    "edgetpu": Target("Edge TPU", edgetpu_reason),
}
"""All targets by the SDK's names of devices."""
