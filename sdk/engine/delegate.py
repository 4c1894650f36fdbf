"""Graphs on a device with a delegate library: a GPU or an Edge TPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sdk.engine.cpu import CpuEngine, Ready, Shapes
from sdk.engine.device import Device, left_behind
from sdk.engine.edgetpu import explain_failure, library_name, library_options
from sdk.engine.interpreter import find_interpreter, first_line
from sdk.errors import DeviceError, OptionError, SdkError
from sdk.forking import abandon
from sdk.model.bundle import BundleGraph

__all__ = ["DelegateEngine"]


class DelegateEngine(CpuEngine):
    """One graph, run by the interpreter with a delegate, in the file's own shape only.

    Operations that the delegate does not support run on the CPU.
    """

    def __init__(self, graph: BundleGraph, device: Device, threads: int | None = None) -> None:
        """Load the delegate and open the graph with it.

        A crash of the library ends the process. `sdk.engine.probe` therefore tries the library in
        another process first.

        Args:
            graph: The file and its description.
            device: "gpu" with a library, or "edgetpu".
            threads: CPU threads for the rest of the graph.

        Raises:
            DeviceError: The delegate does not load, or cannot run the graph.
            ModelError: The file does not fit its description.
        """
        self._device = device
        if device.kind == "edgetpu":
            self._library, options = library_name(), library_options(device)
        else:
            self._library, options = device.detail, {}
        self._delegate = _load(device, self._library, options)
        # one delegate serves one interpreter, of the file's own shapes
        super().__init__(replace(graph, spec=replace(graph.spec, sizes=())), threads)

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, library, threads and file as plain values."""
        return {
            **super().describe(),
            "device": self._device.kind,
            "library": self._library,
        }

    def close(self) -> None:
        """Free the interpreter, then the delegate that it used."""
        super().close()
        self._delegate = None

    def renew(self) -> None:
        """Drop the delegate in a forked child, because the parent has the device open."""
        super().renew()
        abandon(self._delegate)
        self._delegate = None

    def _construct(self, shapes: Shapes) -> Any:
        if self._delegate is None:
            raise left_behind(self._device)
        try:
            return self._found.module.Interpreter(
                model_path=str(self._graph.path),
                num_threads=self._threads,
                experimental_delegates=[self._delegate],
            )
        except Exception as error:
            raise self._unusable(error) from error

    def _invoke(self, interpreter: Any) -> None:
        try:
            interpreter.invoke()
        except RuntimeError as error:
            raise DeviceError(
                f"The device {self._device} fails while it runs {self._graph.spec.file}: "
                f'{first_line(error)}. Plug it in again or restart, or use device="cpu".'
            ) from error

    def _prepare(self, shapes: Shapes) -> Ready:
        if shapes != self._native:
            raise OptionError(
                f"{self._graph.spec.file} takes {self._native} on the device {self._device}; "
                f"got {shapes}. Other shapes run on the CPU."
            )
        return super()._prepare(shapes)

    def _unusable(self, error: BaseException) -> SdkError:
        return DeviceError(
            f"{self._library} does not take {self._graph.path} with {self._found.name}: "
            f"{first_line(error)}. The library and the interpreter must come from the same "
            'TensorFlow version; device="cpu" needs neither.'
        )


def _load(device: Device, library: str, options: Mapping[str, str]) -> Any:
    found = find_interpreter()
    if device.kind == "gpu" and "/" in library and not Path(library).is_file():
        raise DeviceError(
            f"There is no GPU delegate {library}. Give the path of a "
            'libtensorflowlite_gpu_delegate.so, or device="gpu" for the accelerator of '
            "ai-edge-litert."
        )
    try:
        return found.module.load_delegate(library, dict(options))
    except Exception as error:  # OSError, ValueError, AttributeError of ctypes
        if device.kind == "edgetpu":
            raise DeviceError(explain_failure(device, error, found.name)) from error
        raise DeviceError(_explain_gpu(library, error)) from error


def _explain_gpu(library: str, error: Exception) -> str:
    # the first line is load_delegate's own, the library's reason follows
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, ValueError):
        lines = lines[1:]
    reason = "; ".join(lines).rstrip(".") or "it gives no reason"
    advice = "Build it for this board and from the interpreter's TensorFlow version."
    if isinstance(error, AttributeError):
        reason = "it is not a TFLite delegate (it has no tflite_plugin_create_delegate)"
    elif "libEGL" in reason or "libGLES" in reason or "egl" in reason:
        advice = (
            "Install the board's OpenGL ES libraries, and start with "
            "LD_PRELOAD=libEGL.so:libGLESv2.so."
        )
    elif "wrong ELF class" in reason or "invalid ELF header" in reason:
        advice = "It is built for another processor. " + advice
    return f"The GPU delegate {library} does not load: {reason}. {advice}"
