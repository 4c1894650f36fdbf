"""Size of an interpreter's arena: the memory of the tensors between operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convert.tflite.operators import shape_of

__all__ = ["arena_bytes", "lifetimes"]

# Alignment of the interpreter's tensors in bytes.
_ALIGNMENT = 64


def lifetimes(graph: Any, constant: set[int]) -> list[tuple[int, int, int]]:
    """Return (first operation, last operation, bytes) of each tensor that is not a constant."""
    first: dict[int, int] = {int(i): 0 for i in graph.inputs}
    last: dict[int, int] = {}
    for number, operator in enumerate(graph.operators):
        for i in map(int, operator.outputs):
            first.setdefault(i, number)
        for i in (*map(int, operator.inputs), *map(int, operator.outputs)):
            last[i] = number
    last |= {int(i): len(graph.operators) for i in graph.outputs}
    return [
        (begin, last.get(i, begin), _bytes(graph.tensors[i]))
        for i, begin in first.items()
        if i not in constant
    ]


def arena_bytes(spans: Sequence[tuple[int, int, int]]) -> int:
    """Return the size of an arena whose tensors are placed by decreasing size, in bytes.

    Args:
        spans: (first operation, last operation, bytes) of each tensor.
    """
    placed: list[tuple[int, int, int, int]] = []
    for begin, end, size in sorted(spans, key=lambda span: -span[2]):
        need = -(-size // _ALIGNMENT) * _ALIGNMENT
        at = 0
        for _, _, low, high in sorted(
            (p for p in placed if p[0] <= end and begin <= p[1]), key=_low
        ):
            if low - at >= need:
                break
            at = max(at, high)
        placed.append((begin, end, at, at + need))
    return max((high for *_, high in placed), default=0)


def _low(place: tuple[int, int, int, int]) -> int:
    return place[2]


def _bytes(tensor: Any) -> int:
    # element sizes by TensorType; all other types have four bytes
    return int(np.prod(shape_of(tensor))) * {1: 2, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1}.get(tensor.type, 4)
