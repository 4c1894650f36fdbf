"""Position of the sizes of upsampled maps in a TFLite file, for inputs of other sizes.

The output size of convolutions follows from their input; only upsampling operations hold their size
as a constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert.tflite.operators import Op

__all__ = ["size_offsets"]

# Operations whose output size follows from their inputs.
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
_UPSAMPLING = {"RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"}


def size_offsets(path: Path, ops: Sequence[Op]) -> tuple[int, ...]:
    """Return the positions of the sizes in a .tflite file that depend on the input's size.

    Args:
        path: The file.
        ops: Its operations, from `inspect_file`.

    Returns:
        Byte offset of each constant: height and width, int32 each. Empty if the graph has no
        upsampling, or has operations with other constant sizes.
    """
    if not {op.name for op in ops} <= _FOLLOWING | _UPSAMPLING:
        return ()
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    offsets: set[int] = set()
    for number, op in enumerate(ops):
        if op.name in _UPSAMPLING:
            size = model.Buffers(graph.Tensors(graph.Operators(number).Inputs(1)).Buffer())
            if not size.DataLength():  # computed, not a constant
                return ()
            offsets.add(_start(size))
    return tuple(sorted(offsets))


def _start(buffer: Any) -> int:
    """Return the byte offset of a buffer in the file."""
    view = buffer.DataAsNumpy()
    base = np.frombuffer(buffer._tab.Bytes, np.uint8)
    return int(view.ctypes.data - base.ctypes.data)
