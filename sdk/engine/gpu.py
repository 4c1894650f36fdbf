"""Graphs on the GPU, run by the accelerator of ai-edge-litert (WebGPU on Vulkan)."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.engine.device import GPU, left_behind
from sdk.engine.interpreter import first_line
from sdk.engine.tensors import from_tensors, to_tensors
from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.forking import abandon, renew_in_child
from sdk.model.bundle import BundleGraph
from sdk.model.manifest import TensorSpec

__all__ = ["GpuEngine", "find_gpu_node"]

# Device files of GPUs on Linux: desktop and most boards, NVIDIA's driver, Jetson, Adreno, Mali.
NODES = ("dri/renderD*", "nvidia0", "nvhost-gpu", "nvgpu", "kgsl-3d0", "mali0")


def find_gpu_node(root: Path = Path("/")) -> Path | None:
    """Return the device file of a GPU, None if Linux shows no GPU."""
    for pattern in NODES:
        for node in sorted((root / "dev").glob(pattern)):
            return node
    return None


class GpuEngine:
    """One graph on the GPU, in the file's own shape only."""

    def __init__(self, graph: BundleGraph) -> None:
        """Compile the graph for the GPU.

        Args:
            graph: The file and its description.

        Raises:
            DeviceError: ai-edge-litert is missing or too old, finds no usable GPU, or cannot run
                the graph on the GPU.
            ModelError: The file does not fit its description.
        """
        self._graph = graph
        self._lock = threading.Lock()
        self._left_behind = False
        try:
            compiled = import_module("ai_edge_litert.compiled_model").CompiledModel
            kinds = import_module("ai_edge_litert.hardware_accelerator").HardwareAccelerator
        except Exception as error:  # a binary for another NumPy or libc fails in many ways
            raise DeviceError(
                f"The GPU needs ai-edge-litert 2 or newer ({first_line(error)}): "
                "pip install --upgrade ai-edge-litert. With tflite-runtime give a delegate: "
                'device="gpu:libtensorflowlite_gpu_delegate.so".'
            ) from error
        try:
            # operations that the GPU does not support run on the CPU
            self._model = compiled.from_file(str(graph.path), kinds.GPU | kinds.CPU)
            self._inputs = self._model.create_input_buffers(0)
            self._outputs = self._model.create_output_buffers(0)
        except Exception as error:
            raise DeviceError(
                f"{_version()} cannot use the GPU: {_reason(error)}. The GPU needs a Vulkan "
                "driver: sudo apt install mesa-vulkan-drivers, or the manufacturer's driver "
                '(vulkaninfo --summary shows it). Or use device="cpu".'
            ) from error
        key = self._model.get_signature_by_index(0)["key"]
        self._order = [
            self._positions(self._model.get_input_tensor_details(key), graph.spec.inputs),
            self._positions(self._model.get_output_tensor_details(key), graph.spec.outputs),
        ]
        renew_in_child(self)

    def renew(self) -> None:
        """Drop the compiled graph in a forked child, because the parent has the GPU open.

        See `sdk.forking`.
        """
        abandon((self._model, self._inputs, self._outputs))
        self._lock, self._left_behind = threading.Lock(), True

    def run(
        self, inputs: Mapping[str, NDArray[Any]], raw: Collection[str] = ()
    ) -> dict[str, NDArray[Any]]:
        """Run the graph, see `Engine.run`."""
        spec = self._graph.spec
        arrays = to_tensors(spec, inputs)
        for tensor, array in zip(spec.inputs, arrays, strict=True):
            if array.shape != tensor.shape:
                raise OptionError(
                    f"{spec.file} takes {list(tensor.shape)} on the GPU; got {list(array.shape)}. "
                    "Other shapes run on the CPU."
                )
        with self._lock:
            if self._left_behind:
                raise left_behind(GPU)
            if self._model is None:
                raise SdkError("The engine is closed. Open a new engine.")
            try:
                found = self._invoke(arrays)
            except RuntimeError as error:
                raise DeviceError(
                    f"The GPU fails while it runs {spec.file}: {_reason(error)}. "
                    'Update its driver, or use device="cpu".'
                ) from error
        return from_tensors(spec, found, raw)

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, threads and file as plain values."""
        return {
            "interpreter": _version(),
            "device": "gpu",
            "threads": 1,
            "file": self._graph.spec.file,
            "bytes": self._graph.spec.bytes,
            "whole": self._model is not None and self._model.is_fully_accelerated(),
        }

    def close(self) -> None:
        """Free the buffers, then the compiled graph."""
        with self._lock:
            self._inputs = self._outputs = []
            self._model = None

    def _invoke(self, arrays: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
        for position, array in zip(self._order[0], arrays, strict=True):
            self._inputs[position].write(array)
        self._model.run_by_index(0, self._inputs, self._outputs)
        found = {}
        for tensor, position in zip(self._graph.spec.outputs, self._order[1], strict=True):
            size, dtype = int(np.prod(tensor.shape)), np.dtype(tensor.dtype).type
            found[tensor.name] = self._outputs[position].read(size, dtype).reshape(tensor.shape)
        return found

    def _positions(self, details: Mapping[str, Any], tensors: Sequence[TensorSpec]) -> list[int]:
        """Return the positions of the manifest's tensors in the graph's signature."""
        names = list(details)
        positions = []
        for tensor in tensors:
            # a signature without names has the interpreter's order
            name = (
                tensor.name
                if tensor.name in details
                else dict(enumerate(names)).get(tensor.index, "")
            )
            found = details.get(name, {})
            dtype, shape = str(found.get("dtype")), tuple(found.get("shape", ()))
            if (dtype, shape) != (tensor.dtype, tensor.shape):
                raise ModelError(
                    f"{self._graph.path} is not the graph that model.json describes: "
                    f"{tensor.name} {tensor.dtype} {list(tensor.shape)} there, {dtype} "
                    f"{list(shape)} in the file. Export the bundle again."
                )
            positions.append(names.index(name))
        return positions


def _version() -> str:
    try:
        return f"ai-edge-litert {version('ai-edge-litert')}"
    except PackageNotFoundError:
        return "ai-edge-litert of unknown version"


def _reason(error: Exception) -> str:
    """Return the text of an error without references to source files."""
    words = " ".join(re.sub(r"ERROR: \[[^]]*\]|└", " ", str(error)).split())
    return words[:200].rstrip(".") or "it finds no GPU that it can use"
