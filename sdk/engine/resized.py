"""Graphs with maps enlarged inside, made for pictures of another size.

A detector's file holds the sizes of its enlarged maps as constants. With those changed, it takes a
part of its frame, at a part of the time and memory.
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

# Parts of height and width that a photo may need: what most cameras give, upright or not.
_SHARES = (0.75, 1.0), (1.0, 0.75)
# Pixels to each side of a detector's coarsest cell.
_COARSEST = 32
_PAIR = struct.Struct("<2i")


def frames(spec: GraphSpec) -> list[Size]:
    """Return the sizes of picture to run a detector with on the CPU, its full frame last."""
    height, width = spec.inputs[0].shape[1:3]
    parts = [(round(height * y), round(width * x)) for y, x in _SHARES] if spec.sizes else []
    whole = [p for p in parts if p[0] % _COARSEST == p[1] % _COARSEST == 0]
    return [*whole, (height, width)]


def resized(graph: BundleGraph, height: int, width: int) -> bytes:
    """Return the file's content with the sizes of its enlarged maps changed as the input's.

    Args:
        graph: A graph whose description holds `sizes`.
        height: Height of the input in pixels.
        width: Width of the input in pixels.

    Raises:
        ModelError: The file cannot be read, or is not the one described.
        OptionError: A map and what is added to it would differ by a part of a cell.
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
            f"{graph.path} is not the graph that model.json describes: no sizes of maps at the "
            f"bytes {', '.join(map(str, spec.sizes))}. Export the bundle again."
        )
    for offset, (rows, columns) in zip(spec.sizes, sizes, strict=True):
        _PAIR.pack_into(content, offset, rows * height // native[0], columns * width // native[1])
    return bytes(content)


def _covers(cells: Sequence[int], frame: Sequence[int]) -> bool:
    """Whether a map of so many cells covers a frame with whole ones."""
    return all(n > 0 and side % n == 0 for n, side in zip(cells, frame, strict=True))
