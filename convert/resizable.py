"""Where a graph says how large its enlarged maps are, so that its input can change size.

Convolutions follow the size of their input; only the enlargements hold theirs as constants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

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


def size_offsets(path: Path) -> tuple[int, ...]:
    """Return where in a .tflite file the sizes stand that must change with the input's.

    Args:
        path: A file that `inspect_file` has read.

    Returns:
        For each constant, the bytes before it in the file: height and width, int32 each. Empty if
        the graph enlarges nothing, or has operations with other sizes of their own.
    """
    from ai_edge_litert import schema_py_generated as schema

    data = path.read_bytes()
    model = schema.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    names = {n: text for text, n in vars(schema.BuiltinOperator).items() if isinstance(n, int)}
    offsets: set[int] = set()
    for operator in map(graph.Operators, range(graph.OperatorsLength())):
        code = model.OperatorCodes(operator.OpcodeIndex())
        name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        if name in _ENLARGING:
            size = model.Buffers(graph.Tensors(operator.Inputs(1)).Buffer())
            if not size.DataLength():  # calculated, so it follows by itself or not at all
                return ()
            offsets.add(_start(size))
        elif name not in _FOLLOWING:
            return ()
    return tuple(sorted(offsets))


def _start(buffer: Any) -> int:
    """Return the position of a buffer's first byte in the file."""
    view = buffer.DataAsNumpy()
    base = np.frombuffer(buffer._tab.Bytes, np.uint8)
    return int(view.ctypes.data - base.ctypes.data)
