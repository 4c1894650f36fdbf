"""Graphs on the CPU, run by the TFLite interpreter and its XNNPACK kernels."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.engine.interpreter import construction_error, find_interpreter, first_line
from sdk.engine.resized import resized
from sdk.engine.tensors import from_tensors, to_tensors
from sdk.errors import ModelError, SdkError
from sdk.forking import abandon, renew_in_child
from sdk.model.bundle import BundleGraph
from sdk.native_notes import captured_notes

__all__ = ["CpuEngine", "default_threads", "usable_cores"]

Shapes = tuple[tuple[int, ...], ...]

# Largest number of interpreters of a graph. Every input shape has its own interpreter and weights.
MAX_SHAPES = 8
# Largest number for a detector, whose interpreters take 30 MB and about 40 ms of setup each.
MAX_SIZES = 2


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def default_threads() -> int:
    """Return the number of cores this process may use, at most 4, because more gain little."""
    return max(1, min(4, usable_cores()))


@dataclass(frozen=True, slots=True)
class Ready:
    """An interpreter with allocated tensors, and the tensor numbers in the file's order."""

    interpreter: Any
    inputs: Sequence[int]
    outputs: Sequence[int]


class CpuEngine:
    """One graph on the CPU, with an interpreter for each input shape.

    The interpreters of the last 8 shapes are kept, or of the last 2 for a graph whose input size
    may change.
    """

    def __init__(self, graph: BundleGraph, threads: int | None = None) -> None:
        """Open the graph and compare it with its description.

        Args:
            graph: The file and its description.
            threads: CPU threads. None uses the available cores, at most 4.

        Raises:
            DeviceError: No interpreter is usable.
            ModelError: The interpreter cannot run the file, or the file does not fit its
                description.
        """
        self._graph = graph
        self._threads = threads or default_threads()
        self._found = find_interpreter()
        self._lock = threading.Lock()
        self._closed = False
        self._interpreters: OrderedDict[Shapes, Ready] = OrderedDict()
        self._native = tuple(t.shape for t in graph.spec.inputs)
        interpreter = self._construct(self._native)
        with self._refused():
            self._compare(interpreter)
        if not graph.spec.sizes:  # with variable sizes, the first picture may need another size
            self._interpreters[self._native] = self._allocate(interpreter)
        renew_in_child(self)

    def renew(self) -> None:
        """Drop the interpreters in a forked child, because their threads exist in the parent only.

        See `sdk.forking`.
        """
        abandon(self._interpreters)
        self._lock, self._interpreters = threading.Lock(), OrderedDict()

    def run(
        self, inputs: Mapping[str, NDArray[Any]], raw: Collection[str] = ()
    ) -> dict[str, NDArray[Any]]:
        """Run the graph, see `Engine.run`."""
        spec = self._graph.spec
        arrays = to_tensors(spec, inputs)
        with self._lock:
            if self._closed:
                raise SdkError("The engine is closed. Open a new engine.")
            ready = self._prepare(tuple(a.shape for a in arrays))
            with self._refused():
                for tensor, array in zip(spec.inputs, arrays, strict=True):
                    ready.interpreter.set_tensor(ready.inputs[tensor.index], array)
            self._invoke(ready.interpreter)
            with self._refused():
                found = {
                    t.name: ready.interpreter.get_tensor(ready.outputs[t.index])
                    for t in spec.outputs
                }
        return from_tensors(spec, found, raw)

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, threads and file as plain values."""
        return {
            "interpreter": self._found.name,
            "device": "cpu",
            "threads": self._threads,
            "file": self._graph.spec.file,
            "bytes": self._graph.spec.bytes,
        }

    def close(self) -> None:
        """Free the interpreters."""
        with self._lock:
            self._closed = True
            self._interpreters.clear()

    def _construct(self, shapes: Shapes) -> Any:
        model: dict[str, Any] = {"model_path": str(self._graph.path)}
        if self._graph.spec.sizes and shapes != self._native:
            model = {"model_content": resized(self._graph, *shapes[0][1:3])}
        try:
            return self._found.module.Interpreter(**model, num_threads=self._threads)
        except ValueError as error:  # both interpreters raise it for a file they cannot read
            raise self._unusable(error) from error
        except Exception as error:
            raise construction_error(self._found, error) from error

    def _invoke(self, interpreter: Any) -> None:
        with self._refused():
            # a recurrent graph must not begin with the end of the line before
            interpreter.reset_all_variables()
            interpreter.invoke()

    def _prepare(self, shapes: Shapes) -> Ready:
        ready = self._interpreters.get(shapes)
        if ready is None:
            interpreter = self._construct(shapes)
            with self._refused():
                details = interpreter.get_input_details()
                for tensor, shape in zip(self._graph.spec.inputs, shapes, strict=True):
                    interpreter.resize_tensor_input(details[tensor.index]["index"], shape)
            # before the setup of the next: both at the same time would raise the peak memory
            while len(self._interpreters) >= (MAX_SIZES if self._graph.spec.sizes else MAX_SHAPES):
                self._interpreters.popitem(last=False)
            ready = self._interpreters[shapes] = self._allocate(interpreter)
        self._interpreters.move_to_end(shapes)
        return ready

    def _allocate(self, interpreter: Any) -> Ready:
        with self._refused():
            with captured_notes():
                interpreter.allocate_tensors()
            return Ready(
                interpreter,
                [int(tensor["index"]) for tensor in interpreter.get_input_details()],
                [int(tensor["index"]) for tensor in interpreter.get_output_details()],
            )

    @contextlib.contextmanager
    def _refused(self) -> Iterator[None]:
        """Turn exceptions of the interpreter into a `ModelError`."""
        try:
            yield
        except SdkError:
            raise
        except Exception as error:  # such as a UnicodeDecodeError for the name of a tensor
            raise self._unusable(error) from error

    def _unusable(self, error: BaseException) -> SdkError:
        if "edgetpu-custom-op" in str(error):
            return ModelError(
                f"{self._graph.path} is compiled for the Edge TPU and cannot run on the CPU. "
                'Use device="edgetpu", or another variant of the bundle.'
            )
        return ModelError(
            f"{self._found.name} cannot run {self._graph.path}: {first_line(error)}. "
            "Export the bundle again, or update the interpreter."
        )

    def _compare(self, interpreter: Any) -> None:
        spec = self._graph.spec
        sides = (
            (spec.inputs, interpreter.get_input_details()),
            (spec.outputs, interpreter.get_output_details()),
        )
        for tensors, details in sides:
            for tensor in tensors:
                if not 0 <= tensor.index < len(details):
                    raise self._mismatch(f"{tensor.name} at {tensor.index}", f"{len(details)}")
                found = details[tensor.index]
                dtype, shape = np.dtype(found["dtype"]).name, tuple(found["shape"].tolist())
                if (dtype, shape) != (tensor.dtype, tensor.shape):
                    described = f"{tensor.name} {tensor.dtype} {list(tensor.shape)}"
                    raise self._mismatch(described, f"{dtype} {list(shape)}")
                quantization = found["quantization_parameters"]
                scales, zeros = quantization["scales"], quantization["zero_points"]
                step = (float(scales[0]), int(zeros[0])) if len(scales) else None
                wanted = None
                if tensor.scale is not None:
                    wanted = (tensor.scale, tensor.zero_point)
                same = (step is None) == (wanted is None)
                if same and step is not None and wanted is not None:
                    same = bool(np.isclose(step[0], wanted[0], rtol=1e-5)) and step[1] == wanted[1]
                if not same:
                    raise self._mismatch(f"{tensor.name} quantized by {wanted}", f"{step}")

    def _mismatch(self, described: str, found: str) -> ModelError:
        return ModelError(
            f"{self._graph.path} is not the graph that model.json describes: "
            f"{described} there, {found} in the file. Export the bundle again."
        )
