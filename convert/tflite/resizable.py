"""Where a graph says how large its enlarged maps are, so that its input can change size.

Convolutions follow the size of their input; only the enlargements hold theirs as constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert.tflite.operators import Op

__all__ = ["size_offsets"]

# Operations that give a map of the size that follows from their inputs.
_FOLLOWING = {
    "ADD",
    "CAST",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEQUANTIZE",
    "LOGISTIC",
    "MUL",
    "QUANTIZE",
    "RELU",
    "RELU6",
}
_ENLARGING = {"RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"}


def size_offsets(path: Path, ops: Sequence[Op]) -> tuple[int, ...]:
    """Return where in a .tflite file the sizes stand that must change with the input's.

    Args:
        path: The file.
        ops: Its operations, from `inspect_file`.

    Returns:
        For each constant, the bytes before it in the file: height and width, int32 each. Empty if
        the graph enlarges nothing, or has operations with other sizes of their own.
    """
    if not {op.name for op in ops} <= _FOLLOWING | _ENLARGING:
        return ()
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    offsets: set[int] = set()
    for number, op in enumerate(ops):
        if op.name in _ENLARGING:
            size = model.Buffers(graph.Tensors(graph.Operators(number).Inputs(1)).Buffer())
            if not size.DataLength():  # calculated, so it follows by itself or not at all
                return ()
            offsets.add(_start(size))
    return tuple(sorted(offsets))


def _start(buffer: Any) -> int:
    """Return the position of a buffer's first byte in the file."""
    view = buffer.DataAsNumpy()
    base = np.frombuffer(buffer._tab.Bytes, np.uint8)
    return int(view.ctypes.data - base.ctypes.data)
