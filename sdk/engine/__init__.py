"""Execution of TFLite graphs: the only part of the SDK that uses interpreters."""

from __future__ import annotations

from sdk.engine.base import Engine
from sdk.engine.cpu import CpuEngine
from sdk.engine.device import AUTO, CPU, Device, parse_device
from sdk.engine.placement import Placement, place
from sdk.engine.pool import EnginePool
from sdk.engine.probe import probe
from sdk.engine.trial import Trial, open_accelerated
from sdk.errors import OptionError
from sdk.model.bundle import BundleGraph

__all__ = [
    "MAX_THREADS",
    "Device",
    "Engine",
    "EnginePool",
    "Placement",
    "check_options",
    "open_engine",
    "parse_device",
    "place",
]

MAX_THREADS = 256


def check_options(device: str, threads: int | None) -> Device:
    """Return the named device, after a check of the options that need no model.

    Raises:
        OptionError: `device` or `threads` is not legal.
    """
    if threads is not None and (type(threads) is not int or not 1 <= threads <= MAX_THREADS):
        raise OptionError(
            f"threads is {threads!r}. Give a whole number from 1 to {MAX_THREADS}, or None."
        )
    return parse_device(device)


def open_engine(graph: BundleGraph, device: str = "cpu", threads: int | None = None) -> Engine:
    """Return an engine that runs a graph.

    Args:
        graph: The graph of a bundle.
        device: "cpu", "gpu", "gpu:<delegate library>" or "edgetpu[:usb|:pci|:<number>]". "auto"
            means the CPU here, because a choice needs the whole bundle, see `place`.
        threads: CPU threads, at least 1. None uses the available cores, at most 4.

    Raises:
        DeviceError: The device or an interpreter is not usable on this machine.
        ModelError: The interpreter cannot run the file, or the file does not fit its description.
        OptionError: `device` or `threads` is not legal.
    """
    chosen = check_options(device, threads)
    if chosen in (AUTO, CPU):
        return CpuEngine(graph, threads)
    probe(Trial(graph, chosen, threads, graph if chosen.kind == "gpu" else None))
    return open_accelerated(graph, chosen, threads)
