"""Try a graph on a device: open it, run it, compare it with the CPU, and measure if asked.

`sdk.engine.probe` runs this in a process of its own, because a delegate may crash: the request is a
JSON file, and so is the report. What happens last is in the report, whatever happens.
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
    """What to try.

    Attributes:
        graph: The graph for the device.
        device: Where it shall run.
        threads: CPU threads.
        reference: A graph that computes the same on the CPU; None if there is none.
        rival: What would run on the CPU instead; None does not measure.
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
        """Read what `to_dict` gives."""

        def graph(name: str) -> BundleGraph | None:
            entry = data[name]
            return entry and BundleGraph(Path(entry["path"]), GraphSpec.from_dict(entry["spec"]))

        first = graph("graph")
        assert first is not None
        device = parse_device(data["device"])
        return cls(first, device, data["threads"], graph("reference"), graph("rival"))


def open_accelerated(graph: BundleGraph, device: Device, threads: int | None = None) -> Engine:
    """Open a graph on a device other than the CPU, in this process and untried.

    Raises:
        DeviceError: The device cannot be used.
        ModelError: The file is not the graph described.
    """
    if device.kind == "gpu" and not device.detail:
        return GpuEngine(graph)
    return DelegateEngine(graph, device, threads)


def try_device(trial: Trial, report: dict[str, Any]) -> None:
    """Carry out a trial.

    Args:
        trial: What to try.
        report: Gets "step", what is being done, and, if measured, "ms" and "rival_ms".

    Raises:
        DeviceError: The device cannot be used, or computes something else than the CPU.
        ModelError: The file is not the graph described.
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
        # the frame that the CPU needs for most photos; an accelerator runs the full one
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
    """A report that is in its file after every change: a crash leaves no time for it later."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._path.write_text(json.dumps(self), encoding="utf-8")


def main(request: str, answer: str) -> None:
    """Carry out the trial of one file and report in another."""
    report = _Report(Path(answer))
    trial = Trial.from_dict(json.loads(Path(request).read_text(encoding="utf-8")))
    try:
        try_device(trial, report)
    except SdkError as error:
        report["model"] = isinstance(error, ModelError)
        report["error"] = str(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
