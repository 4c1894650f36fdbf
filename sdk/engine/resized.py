"""Detector graphs for smaller frames.

A detector's file holds the sizes of its upsampled maps as constants. With other constants the graph
runs on a smaller frame, in less time and memory.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from sdk.errors import ModelError, OptionError
from sdk.model.bundle import BundleGraph
from sdk.model.manifest import GraphSpec

__all__ = ["Size", "frames", "resized"]

Size = tuple[int, int]
"""Height and width in pixels."""

# Shares of the frame's height and width: the aspect ratios of most cameras, in both orientations.
_SHARES = (0.75, 1.0), (1.0, 0.75)
# Side of a detector's coarsest cell in pixels.
_COARSEST = 32
_PAIR = struct.Struct("<2i")


def frames(spec: GraphSpec) -> list[Size]:
    """Return the frame sizes of a detector on the CPU, the full frame last."""
    height, width = spec.inputs[0].shape[1:3]
    parts = [(round(height * y), round(width * x)) for y, x in _SHARES] if spec.sizes else []
    whole = [p for p in parts if p[0] % _COARSEST == p[1] % _COARSEST == 0]
    return [*whole, (height, width)]


def resized(graph: BundleGraph, height: int, width: int) -> bytes:
    """Return the content of a graph's file, with its map sizes changed for another input size.

    Args:
        graph: A graph whose description has `sizes`.
        height: Height of the input in pixels.
        width: Width of the input in pixels.

    Raises:
        ModelError: The file cannot be read, or does not fit its description.
        OptionError: A side is not a multiple of the coarsest cell.
    """
    spec = graph.spec
    native = spec.inputs[0].shape[1:3]
    if height % _COARSEST or width % _COARSEST:
        raise OptionError(
            f"{spec.file} cannot take {width}x{height} pixels. Give multiples of {_COARSEST}."
        )
    try:
        content = bytearray(graph.path.read_bytes())
    except OSError as error:
        raise ModelError(f"Cannot read {graph.path}: {error.strerror or error}.") from error
    sizes = []
    if len(content) == spec.bytes and max(spec.sizes) <= len(content) - _PAIR.size:
        sizes = [_PAIR.unpack_from(content, offset) for offset in spec.sizes]
    if not sizes or not all(_covers(size, native) for size in sizes):
        raise ModelError(
            f"{graph.path} is not the graph that model.json describes: there are no map sizes at "
            f"the bytes {', '.join(map(str, spec.sizes))}. Export the bundle again."
        )
    for offset, (rows, columns) in zip(spec.sizes, sizes, strict=True):
        _PAIR.pack_into(content, offset, rows * height // native[0], columns * width // native[1])
    return bytes(content)


def _covers(cells: Sequence[int], frame: Sequence[int]) -> bool:
    """Tell whether a map covers a frame with whole cells."""
    return all(n > 0 and side % n == 0 for n, side in zip(cells, frame, strict=True))
