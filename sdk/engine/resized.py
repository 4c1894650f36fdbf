"""Graphs with a map enlarged inside, made for an input of another size."""

from __future__ import annotations

import struct

from sdk.errors import ModelError, OptionError
from sdk.model.bundle import BundleGraph

__all__ = ["resized"]

_PAIR = struct.Struct("<2i")


def resized(graph: BundleGraph, height: int, width: int) -> bytes:
    """Return the file's content with the sizes of its enlarged maps changed as the input's.

    Args:
        graph: A graph whose description holds `sizes`.
        height: Height of the input in pixels.
        width: Width of the input in pixels.

    Raises:
        ModelError: The file cannot be read, or is not the one described.
        OptionError: A map would not have a whole number of pixels.
    """
    spec = graph.spec
    try:
        content = bytearray(graph.path.read_bytes())
    except OSError as error:
        raise ModelError(f"Cannot read {graph.path}: {error.strerror or error}.") from error
    native = spec.inputs[0].shape[1:3]
    for offset in spec.sizes:
        if not 0 <= offset <= len(content) - _PAIR.size:
            raise ModelError(
                f"{graph.path} has no size at byte {offset}, where model.json says. "
                "Export the bundle again."
            )
        sizes = _PAIR.unpack_from(content, offset)
        wanted = [
            divmod(size * side, own)
            for size, side, own in zip(sizes, (height, width), native, strict=True)
        ]
        if any(rest or not whole for whole, rest in wanted):
            raise OptionError(
                f"{spec.file} cannot take {width}x{height} pixels: a map of "
                f"{sizes[1]}x{sizes[0]} for {native[1]}x{native[0]} would be no whole number."
            )
        _PAIR.pack_into(content, offset, *(whole for whole, _ in wanted))
    return bytes(content)
