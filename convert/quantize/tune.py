"""Quantization-aware tuning of the graphs of runs, resumable.

The QAT model of each graph (`qat_model`) learns the outputs of the float network (`distillation`)
on pictures without labels (`batches`). The recognizer follows the detector, whose quantized
features it will read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.folder import kept_beside
from convert.quantize.batches import (
    BatchMaker,
    GraphRunner,
    crop_batches,
    feature_batches,
    line_batches,
    lines_of,
    paired_features,
)
from convert.quantize.distillation import CHECKPOINT, Distillation, Schedule, runner
from convert.quantize.qat_model import PIXELS, build_float_model, quantize
from convert.quantize.tuned_graphs import RECORD, TunedGraph, read_graph, read_graphs, write_graph
from convert.recipe import tool_versions, weights_sha256
from convert.source.graphs import GRAPHS
from convert.source.run import TrainedRun, owners
from convert.source.samples import TUNING_SEED, Samples, gather, generate, split_evenly
from sdk.errors import SdkError
from sdk.files import write_atomically

__all__ = ["Tuning", "tune"]

_CLAIM = "unfinished.json"
_COLUMNS = 64
# Pixel columns of line images, and lines of features, for each crop of a detector's batch.
_LINE_PIXELS = 1024
_LINES = 4
_LINES_PER_PHOTO = (
    10  # line images for each photo: a line image has one line, and few images are overfitted
)
_MEASURED = 8  # one of this number of samples is for validation


@dataclass(frozen=True)
class Tuning:
    """Options of the tuning.

    Attributes:
        steps: Number of optimizer steps of each graph.
        photos: Folders of shards or pictures; empty for generated pictures.
        graphs: Graphs to tune; empty for all graphs of the runs.
        count: Greatest number of photos, and a tenth of the greatest number of line images; an
            eighth of both is for validation.
        frame: (height, width) of the detector's input in pixels; multiples of 32.
        crop: Side in pixels of the detector's crops, a multiple of 32.
        batch: Number of crops in a batch; line images and line features are in proportion.
        rate: Peak learning rate in grid steps; decays to 0 along a cosine.
        seed: Seed of the batches.
    """

    steps: int = 400
    photos: tuple[Path, ...] = ()
    graphs: tuple[str, ...] = ()
    count: int = 200
    frame: tuple[int, int] = (640, 640)
    crop: int = 256
    batch: int = 4
    rate: float = 0.01
    seed: int = 1

    def check(self) -> None:
        """Check the values.

        Raises:
            ConvertError: A value is illegal.
        """
        unknown = [name for name in self.graphs if name not in GRAPHS]
        rules = [
            (self.steps > 0, f"At least one step is needed, not {self.steps}."),
            (not unknown, f"Unknown graphs {unknown}. Known: {', '.join(GRAPHS)}."),
            (self.count > 1, f"At least two photos are needed, not {self.count}."),
            (
                all(n > 0 and n % 32 == 0 for n in self.frame),
                f"The frame must be multiples of 32 px, not {self.frame[1]}x{self.frame[0]}.",
            ),
            (
                self.crop > 0 and self.crop % 32 == 0 and self.crop <= min(self.frame),
                f"A crop must be a multiple of 32 px inside the frame, not {self.crop} px.",
            ),
            (self.batch > 0, f"A batch needs crops, not {self.batch}."),
            (self.rate > 0, f"The rate must be positive, not {self.rate}."),
        ]
        for good, message in rules:
            if not good:
                raise ConvertError(message)

    def record(self) -> dict[str, Any]:
        """Return plain values for JSON, with the names of folders."""
        return {**asdict(self), "photos": [path.name for path in self.photos]}


def tune(
    sources: Sequence[TrainedRun],
    target: Path,
    options: Tuning,
    force: bool = False,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, dict[str, Any]]:
    """Tune the graphs of runs and write them as a folder of tuned graphs.

    Unfinished work stays beside the target, and the next call resumes it.

    Args:
        sources: Runs; if two have the same graph, the later run is taken.
        target: Folder of the tuned graphs, written atomically.
        options: Options of the tuning.
        force: Whether an existing folder of tuned graphs may be replaced.
        say: Called with messages on the progress.

    Returns:
        The record of each graph: steps, seconds, distance from the float network before and after.

    Raises:
        ConvertError: Unusable options, runs or pictures, or a target that cannot be written.
    """
    options.check()
    runs = owners(sources)
    names = [name for name in GRAPHS if name in (options.graphs or runs)]
    missing = [name for name in names if name not in runs]
    if missing:
        raise ConvertError(f"The runs have no {', '.join(missing)}; they have {sorted(runs)}.")
    digests = {name: weights_sha256(runs[name].models[name]) for name in names}
    with kept_beside(target, force=force, marker=RECORD) as folder:
        _claim(folder, {"options": options.record(), "weights_sha256": digests})
        say(
            f"preparing samples: at most {options.count} photos, "
            f"{_LINES_PER_PHOTO * options.count} line images"
        )
        tuner = _GraphTuner(runs, _samples(options), options, folder, say)
        for name in names:
            path = folder / f"{name}.npz"
            if path.exists():
                say(f"{name}: tuned before")
                continue
            graph = tuner.tuned(name)
            record = {**graph.record, "weights_sha256": digests[name]}
            write_graph(path, replace(graph, record=record))
        (folder / CHECKPOINT).unlink(missing_ok=True)
        graphs = {name: dict(graph.record) for name, graph in read_graphs(folder).items()}
        record = {"options": options.record(), "tools": tool_versions(), "graphs": graphs}
        _write(folder / RECORD, record)
        (folder / _CLAIM).unlink()
    return graphs


def _claim(folder: Path, key: dict[str, Any]) -> None:
    """Remove the unfinished work of another tuning, and record the owner of the folder."""
    claim = folder / _CLAIM
    try:
        same = json.loads(claim.read_text(encoding="utf-8")) == json.loads(json.dumps(key))
    except (OSError, ValueError):
        same = False
    if not same:
        for path in folder.iterdir():
            path.unlink()
        _write(claim, key)


def _write(path: Path, record: dict[str, Any]) -> None:
    try:
        write_atomically(path, (json.dumps(record, indent=2) + "\n").encode())
    except SdkError as error:
        raise ConvertError(str(error)) from error


def _samples(options: Tuning) -> Samples:
    lines = _LINES_PER_PHOTO * options.count
    if options.photos:
        return gather(options.photos, options.count, lines, options.frame)
    return generate(options.count, lines, options.frame, TUNING_SEED)


def _apart(
    items: Sequence[Any], maker: Callable[[Sequence[Any]], BatchMaker]
) -> tuple[BatchMaker, BatchMaker]:
    """Return makers of training and validation batches; a single item serves both."""
    training, validation = split_evenly(items, -(-len(items) // _MEASURED))
    return maker(training), maker(validation or training)


class _GraphTuner:
    """Tunes one graph after the other on the same samples."""

    def __init__(
        self,
        runs: Mapping[str, TrainedRun],
        samples: Samples,
        options: Tuning,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self._runs = runs
        self._samples = samples
        self._options = options
        self._folder = folder
        self._say = say
        self._float_models: dict[str, Any] = {}

    def tuned(self, name: str) -> TunedGraph:
        """Return a tuned graph of the runs."""
        self._say(f"{name}: preparing")
        (training, validation), ends = self._batches(name)
        teacher = self._float_model(name)
        distillation = Distillation(name, teacher, quantize(teacher), ends)
        schedule = Schedule(self._options.steps, self._options.rate, self._options.seed)
        record = distillation.train(
            training, validation, schedule, self._folder / CHECKPOINT, self._say
        )
        return TunedGraph(distillation.student.get_weights(), ends, record)

    def _batches(self, name: str) -> tuple[tuple[BatchMaker, BatchMaker], tuple[float, float]]:
        """Return makers of training and validation batches, and the range of the graph's input."""
        options, samples = self._options, self._samples
        if name == "detector":
            return _apart(
                samples.photos, lambda p: crop_batches(p, options.crop, options.batch)
            ), PIXELS
        if name == "line":
            find = runner(self._float_model("detector")) if "detector" in self._runs else None
            lines = lines_of(samples, find)
            return _apart(lines, lambda p: line_batches(p, _LINE_PIXELS * options.batch)), PIXELS
        float_detector = runner(self._float_model("detector"))
        rows = paired_features(samples.photos, float_detector, self._tuned_detector(), _COLUMNS)
        # features are padded by zeros, and are results of a rectifier
        largest = max((float(want.max()) for want, _ in rows), default=0.0)
        return _apart(rows, lambda p: feature_batches(p, _LINES * options.batch)), (0.0, largest)

    def _tuned_detector(self) -> GraphRunner:
        """Return the detector whose features the recognizer will read."""
        path = self._folder / "detector.npz"
        if not path.exists():
            return runner(self._float_model("detector"))
        detector = quantize(self._float_model("detector"))
        detector.set_weights(read_graph(path).weights)
        return runner(detector)

    def _float_model(self, name: str) -> Any:
        if name not in self._float_models:
            source = self._runs[name]
            self._float_models[name] = build_float_model(name, source.config, source.models[name])
        return self._float_models[name]
