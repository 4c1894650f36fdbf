"""Running TFLite graphs: the only part of the SDK that knows interpreters."""

from __future__ import annotations

from sdk.engine.base import Engine
from sdk.engine.cpu import CpuEngine
from sdk.errors import DeviceError, OptionError
from sdk.model.bundle import BundleGraph

__all__ = ["DEVICES", "Engine", "open_engine"]

DEVICES = ("auto", "cpu", "gpu", "edgetpu")


def open_engine(graph: BundleGraph, device: str = "auto", threads: int | None = None) -> Engine:
    """Return an engine that runs a graph.

    Args:
        graph: The graph of a bundle.
        device: "auto" or "cpu"; "gpu" and "edgetpu" are not available in this version.
        threads: CPU threads, at least 1; None takes the usable cores, at most 4.

    Raises:
        DeviceError: The device or an interpreter is not usable here.
        ModelError: The file is no graph the interpreter can run, or not the one described.
        OptionError: `device` or `threads` is not legal.
    """
    if device not in DEVICES:
        raise OptionError(f"device is {device!r}. Give one of {', '.join(DEVICES)}.")
    if threads is not None and (type(threads) is not int or threads < 1):
        raise OptionError(f"threads is {threads!r}. Give a whole number of at least 1, or None.")
    if device in ("gpu", "edgetpu"):
        raise DeviceError(
            f'The device "{device}" is not available in this version. Use device="cpu" or "auto".'
        )
    return CpuEngine(graph, threads)
