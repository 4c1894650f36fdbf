"""The trial of a graph on a device: open, run, compare with the CPU, measure on request.

`sdk.engine.probe` runs this module in a child process, because a delegate may crash. Request and
report are JSON files. After a crash the report holds the last step.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdk.engine.base import Engine
from sdk.engine.cpu import CpuEngine
from sdk.engine.delegate import DelegateEngine
from sdk.engine.device import Device, parse_device
from sdk.engine.equivalence import disagreement, sample_inputs
from sdk.engine.gpu import GpuEngine
from sdk.engine.resized import frames
from sdk.errors import DeviceError, ModelError, SdkError
from sdk.model.bundle import BundleGraph
from sdk.model.manifest import GraphSpec

__all__ = ["Trial", "open_accelerated", "try_device"]

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial of a graph on a device.

    Attributes:
        graph: The graph for the device.
        device: The device.
        threads: CPU threads.
        reference: Graph that must give the same outputs on the CPU. None skips the comparison.
        rival: Graph that would run on the CPU instead. None skips the measurement.
    """

    graph: BundleGraph
    device: Device
    threads: int | None = None
    reference: BundleGraph | None = None
    rival: BundleGraph | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        graphs = {"graph": self.graph, "reference": self.reference, "rival": self.rival}
        return {
            "device": str(self.device),
            "threads": self.threads,
            **{
                name: graph and {"path": str(graph.path), "spec": graph.spec.to_dict()}
                for name, graph in graphs.items()
            },
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Trial:
        """Rebuild a trial from `to_dict`."""

        def graph(name: str) -> BundleGraph | None:
            entry = data[name]
            return entry and BundleGraph(Path(entry["path"]), GraphSpec.from_dict(entry["spec"]))

        first = graph("graph")
        assert first is not None
        device = parse_device(data["device"])
        return cls(first, device, data["threads"], graph("reference"), graph("rival"))


def open_accelerated(graph: BundleGraph, device: Device, threads: int | None = None) -> Engine:
    """Open a graph on a GPU or an Edge TPU, in this process and without a trial.

    Raises:
        DeviceError: The device cannot be used.
        ModelError: The file does not fit its description.
    """
    if device.kind == "gpu" and not device.detail:
        return GpuEngine(graph)
    return DelegateEngine(graph, device, threads)


def try_device(trial: Trial, report: dict[str, Any]) -> None:
    """Carry out a trial.

    Args:
        trial: The trial.
        report: Receives "step", the current step, and "ms" and "rival_ms" if measured.

    Raises:
        DeviceError: The device cannot be used, or its outputs differ from the CPU's.
        ModelError: The file does not fit its description.
    """
    inputs = sample_inputs(trial.graph.spec)
    report["step"] = "loading"
    engine = open_accelerated(trial.graph, trial.device, trial.threads)
    report["step"] = "running"
    found = engine.run(inputs)
    if trial.reference is not None:
        report["step"] = "comparing"
        expected = CpuEngine(trial.reference, trial.threads).run(inputs)
        problem = disagreement(trial.graph.spec, found, expected)
        if problem is not None:
            raise DeviceError(
                f"The device {trial.device} computes {trial.graph.spec.file} wrongly: {problem}. "
                'Update its driver or library, or use device="cpu".'
            )
    if trial.rival is not None:
        report["step"] = "measuring"
        rival = CpuEngine(trial.rival, trial.threads)
        # the CPU needs the smaller frame for most photos, an accelerator runs the full frame
        height, width = frames(trial.rival.spec)[0]
        theirs = {k: v[:, :height, :width] for k, v in sample_inputs(trial.rival.spec).items()}
        rival.run(theirs)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for which, taken, given in ((engine, times[0], inputs), (rival, times[1], theirs)):
                started = time.perf_counter()
                which.run(given)
                taken.append(1e3 * (time.perf_counter() - started))
        report["ms"], report["rival_ms"] = map(statistics.median, times)
    engine.close()
    report["step"] = "done"


class _Report(dict[str, Any]):
    """A report that writes its file after every change, because a crash can follow."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._path.write_text(json.dumps(self), encoding="utf-8")


def main(request: str, answer: str) -> None:
    """Carry out the trial of the file `request` and write the report to the file `answer`."""
    report = _Report(Path(answer))
    trial = Trial.from_dict(json.loads(Path(request).read_text(encoding="utf-8")))
    try:
        try_device(trial, report)
    except SdkError as error:
        report["model"] = isinstance(error, ModelError)
        report["error"] = str(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
