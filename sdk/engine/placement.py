"""Placement of a bundle's graphs on devices.

A GPU or an Edge TPU runs the detector, which is most of the work and needs only one input shape.
The CPU runs the small graphs of single lines, which need many input shapes and about a millisecond
per line.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sdk.engine.base import Engine
from sdk.engine.cpu import CpuEngine, default_threads
from sdk.engine.device import AUTO, CPU, EDGETPU, GPU, Device
from sdk.engine.edgetpu import explain_devices, find_attached, is_compiled
from sdk.engine.gpu import find_gpu_node
from sdk.engine.interpreter import find_interpreter
from sdk.engine.pool import EnginePool
from sdk.engine.probe import probe
from sdk.engine.trial import Trial, open_accelerated
from sdk.errors import DeviceError, SdkError
from sdk.model.bundle import Bundle, BundleGraph, ModelSource, read_manifest
from sdk.model.manifest import GraphSpec
from sdk.native_notes import captured_notes

logger = logging.getLogger("sdk")

__all__ = ["Placement", "place"]

# Number of line crops read at the same time. On two cores, 2 take 0.7 of the time of 1. Each more
# needs its own interpreters of all widths, about 16 MB.
LINES_AT_A_TIME = 2

# In order of preference. A GPU computes in half or single precision and gains nothing by int8.
GPU_VARIANTS = ("fp16", "fp32")


@dataclass(frozen=True, slots=True)
class Placement:
    """A bundle with open graphs.

    Attributes:
        bundle: The bundle with the selected variant.
        device: Device of the detector, or of the line graph if there is no detector.
        engines: Engines by role.
        passed_over: Reasons why "auto" did not select a device, by name of the device.
    """

    bundle: Bundle
    device: Device
    engines: Mapping[str, Engine]
    passed_over: Mapping[str, str] = field(default_factory=dict)


@captured_notes(of_accelerator=True)
def place(
    model: ModelSource, device: Device, threads: int | None = None, variant: str | None = None
) -> Placement:
    """Open the graphs of a bundle on a device.

    Args:
        model: Folder or name of the bundle, or a combination of two. None opens the packaged
            bundle.
        device: "auto" selects an Edge TPU or a GPU only if the device is present, the bundle has a
            graph for it, and its outputs equal the CPU's. A GPU must also be faster than the CPU.
        threads: CPU threads.
        variant: Variant of the bundle. None selects the variant that fits the device.

    Raises:
        DeviceError: The device or an interpreter is not usable on this machine.
        ModelError: The bundle is missing, damaged, newer than this SDK, or made for another device.
    """
    if device != AUTO:
        return _place_on(device, model, threads, variant)
    passed_over: dict[str, str] = {}
    for candidate in (EDGETPU, GPU):
        reason = _absence(candidate, model, variant)
        if reason is None:
            try:
                return replace(
                    _place_on(candidate, model, threads, variant, measured=True),
                    passed_over=passed_over,
                )
            except SdkError as error:
                reason = str(error)
                logger.info("The device %s is not used: %s", candidate, reason)
        passed_over[str(candidate)] = reason
    return replace(_place_on(CPU, model, threads, variant), passed_over=passed_over)


def _place_on(
    device: Device,
    model: ModelSource,
    threads: int | None,
    variant: str | None,
    measured: bool = False,
) -> Placement:
    bundle = Bundle.open(model, _variant_for(device, model, variant))
    accelerated = None
    if device != CPU:
        accelerated = _try_detector(device, bundle, model, threads, measured)
    engines: dict[str, Engine] = {}
    try:
        for role in bundle.roles:
            if role == "detector" and accelerated is not None:
                engines[role] = open_accelerated(accelerated, device, threads)
                continue
            graph = _for_cpu(bundle, role, model)
            if role == "line":
                count = min(LINES_AT_A_TIME, threads or default_threads())
                engines[role] = EnginePool([CpuEngine(graph, 1) for _ in range(count)])
            else:
                # the small graphs of single lines gain nothing by more threads
                engines[role] = CpuEngine(graph, threads if role == "detector" else 1)
    except SdkError:
        for engine in engines.values():
            engine.close()
        raise
    return Placement(bundle, device, engines)


def _variant_for(device: Device, model: ModelSource, variant: str | None) -> str | None:
    """Return the variant that fits a device, None for the bundle's default."""
    if variant is not None or device == CPU:
        return variant
    _, manifest = read_manifest(model)
    if device.kind == "gpu":
        return next((name for name in GPU_VARIANTS if name in manifest.variants), None)
    return _compiled_variant(model)


def _compiled_variant(model: ModelSource) -> str | None:
    """Return the variant with a detector that was compiled for the Edge TPU, if any."""
    folder, manifest = read_manifest(model)
    for name, graphs in manifest.variants.items():
        path = folder / graphs["detector"].file if "detector" in graphs else None
        if path is not None and path.is_file() and is_compiled(path):
            return name
    return None


def _try_detector(
    device: Device, bundle: Bundle, model: ModelSource, threads: int | None, measured: bool
) -> BundleGraph:
    """Return the detector after a trial run on the device.

    Raises:
        DeviceError: The outputs differ from the CPU's, or `measured` is set and the device is
            slower.
    """
    if "detector" not in bundle.roles:
        raise DeviceError(
            f"The bundle {bundle.folder} has no detector, and the device {device} runs detectors "
            'only. Use device="cpu" to read single lines.'
        )
    graph, reference = bundle.graph("detector"), None
    if device.kind == "gpu":
        reference = graph
    else:
        if not is_compiled(graph.path):
            attached = "" if find_attached() else " The system shows no Edge TPU either."
            raise DeviceError(
                f"The variant {bundle.variant} of the bundle {bundle.folder} is not compiled for "
                "the Edge TPU. Compile its int8 detector (python -m convert edgetpu), or use "
                f'device="cpu".{attached}'
            )
        reference = _uncompiled(bundle, "detector", model)
    # an attached Edge TPU is used even if it is slower: the user attached it for this purpose
    rival = Bundle.open(model).graph("detector") if measured and device.kind == "gpu" else None
    report = probe(Trial(graph, device, threads, reference, rival))
    if rival is not None and report["ms"] >= report["rival_ms"]:
        raise DeviceError(
            f"The device is slower than the CPU: {report['ms']:.0f} ms for {graph.spec.file}, the "
            f"CPU takes {report['rival_ms']:.0f} ms for {rival.spec.file}."
        )
    return graph


def _for_cpu(bundle: Bundle, role: str, model: ModelSource) -> BundleGraph:
    """Return a graph of the bundle's variant. A compiled graph is replaced by its source graph."""
    graph = bundle.graph(role)
    if role == "detector" or not is_compiled(graph.path):
        return graph
    return _uncompiled(bundle, role, model) or graph


def _uncompiled(bundle: Bundle, role: str, model: ModelSource) -> BundleGraph | None:
    """Return the graph from which a graph was compiled, if another variant has it."""
    compiled = bundle.graph(role).spec
    for name, graphs in bundle.manifest.variants.items():
        if role not in graphs or _tensors(graphs[role]) != _tensors(compiled):
            continue
        path = bundle.folder / graphs[role].file
        if path.is_file() and not is_compiled(path):
            return Bundle.open(model, name).graph(role)
    return None


def _tensors(spec: GraphSpec) -> set[object]:
    return {replace(tensor, index=0) for tensor in (*spec.inputs, *spec.outputs)}


def _absence(device: Device, model: ModelSource, variant: str | None) -> str | None:
    """Return why "auto" does not try a device, None if the device should be tried."""
    if device == EDGETPU:
        attached = find_attached()
        if not attached:
            return explain_devices(device, attached, find_interpreter().name)
        if variant is None and _compiled_variant(model) is None:
            return "The model has no graph compiled for the Edge TPU (python -m convert edgetpu)."
        return None
    chosen = _variant_for(device, model, variant)
    if chosen not in GPU_VARIANTS:
        return "The model has no fp16 or fp32 graph, and int8 gains nothing on a GPU."
    if platform.system() == "Linux" and find_gpu_node() is None:
        return "The system shows no GPU (no /dev/dri/renderD* or similar)."
    return None
