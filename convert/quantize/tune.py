"""Quantization-aware tuning of the graphs of runs, resumable.

Each graph's quantized twin (`twin`) learns to give what the float network gives (`lesson`), on
pictures without labels (`batches`). The recognizer comes after the detector, whose quantized
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
    Maker,
    Run,
    crops,
    feature_pairs,
    feature_rows,
    strip_rows,
    strips_of,
)
from convert.quantize.distillation import CHECKPOINT, Lesson, Pace, runner
from convert.quantize.qat_model import PIXELS, build_twin, quantize
from convert.quantize.tuned_graphs import RECORD, TunedGraph, read_graph, read_graphs, write_graph
from convert.recipe import tool_versions, weights_sha256
from convert.source.graphs import GRAPHS
from convert.source.run import Source, owners
from convert.source.samples import TUNING_SEED, Samples, gather, generate, split_evenly
from sdk.errors import SdkError
from sdk.files import write_atomically

__all__ = ["Tuning", "tune"]

_CLAIM = "unfinished.json"
_COLUMNS = 64
# Pixel columns of strips, and lines of features, for each crop of a detector's batch.
_STRIP_PIXELS = 1024
_LINES = 4
_STRIPS = 10  # for each photo: a strip holds one line, and few strips are learned by heart
_MEASURED = 8  # one sample in so many is kept to measure on


@dataclass(frozen=True)
class Tuning:
    """How to tune.

    Attributes:
        steps: Optimizer steps of each graph.
        photos: Folders of shards or pictures; empty draws some with the generator.
        graphs: Graphs to tune; empty takes all of the runs.
        count: Most photos to tune on, and a tenth of the most strips; an eighth of either is kept
            to measure on.
        frame: (height, width) in pixels that photos are fitted into, as the detector will;
            multiples of 32.
        crop: Side in pixels of the detector's crops, a multiple of 32.
        batch: Crops of a batch; strips and feature strips in proportion.
        rate: Grid steps that a weight moves in the fastest step; falls to 0 along a cosine.
        seed: Of the batches.
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
            ConvertError: One is outside its legal values.
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
        """Return plain values for JSON; folders by their names."""
        return {**asdict(self), "photos": [path.name for path in self.photos]}


def tune(
    sources: Sequence[Source],
    target: Path,
    options: Tuning,
    force: bool = False,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, dict[str, Any]]:
    """Tune the graphs of runs and write them as a folder of tuned graphs.

    What is unfinished lies beside the target and is gone on with by the next call.

    Args:
        sources: Runs; where two have the same graph, the later one gives it.
        target: Folder of the tuned graphs; it appears whole or not at all.
        options: How.
        force: Whether an existing folder of tuned graphs may be replaced.
        say: Told what is being done, a line each.

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
        say(f"preparing samples: at most {options.count} photos, {_STRIPS * options.count} strips")
        teaching = _Teaching(runs, _samples(options), options, folder, say)
        for name in names:
            path = folder / f"{name}.npz"
            if path.exists():
                say(f"{name}: tuned before")
                continue
            graph = teaching.tuned(name)
            record = {**graph.record, "weights_sha256": digests[name]}
            write_graph(path, replace(graph, record=record))
        (folder / CHECKPOINT).unlink(missing_ok=True)
        graphs = {name: dict(graph.record) for name, graph in read_graphs(folder).items()}
        record = {"options": options.record(), "tools": tool_versions(), "graphs": graphs}
        _write(folder / RECORD, record)
        (folder / _CLAIM).unlink()
    return graphs


def _claim(folder: Path, key: dict[str, Any]) -> None:
    """Empty a folder of another tuning's unfinished work, and write down whose it is now."""
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
    strips = _STRIPS * options.count
    if options.photos:
        return gather(options.photos, options.count, strips, options.frame)
    return generate(options.count, strips, options.frame, TUNING_SEED)


def _apart(items: Sequence[Any], maker: Callable[[Sequence[Any]], Maker]) -> tuple[Maker, Maker]:
    """Return makers for what is learned from and what is measured on; a single item is both."""
    learn, exam = split_evenly(items, -(-len(items) // _MEASURED))
    return maker(learn), maker(exam or learn)


class _Teaching:
    """Tunes one graph after the other on the same samples."""

    def __init__(
        self,
        runs: Mapping[str, Source],
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
        self._twins: dict[str, Any] = {}

    def tuned(self, name: str) -> TunedGraph:
        """Return a graph of the runs, tuned."""
        self._say(f"{name}: preparing")
        (learn, exam), ends = self._batches(name)
        teacher = self._twin(name)
        lesson = Lesson(name, teacher, quantize(teacher), ends)
        pace = Pace(self._options.steps, self._options.rate, self._options.seed)
        record = lesson.learn(learn, exam, pace, self._folder / CHECKPOINT, self._say)
        return TunedGraph(lesson.pupil.get_weights(), ends, record)

    def _batches(self, name: str) -> tuple[tuple[Maker, Maker], tuple[float, float]]:
        """Return batches to learn from and to measure on, and the range of the graph's input."""
        options, samples = self._options, self._samples
        if name == "detector":
            return _apart(samples.photos, lambda p: crops(p, options.crop, options.batch)), PIXELS
        if name == "line":
            find = runner(self._twin("detector")) if "detector" in self._runs else None
            strips = strips_of(samples, find)
            return _apart(strips, lambda p: strip_rows(p, _STRIP_PIXELS * options.batch)), PIXELS
        float_detector = runner(self._twin("detector"))
        rows = feature_rows(samples.photos, float_detector, self._tuned_detector(), _COLUMNS)
        # the strips end in zeros, and a feature is a rectifier's result
        largest = max((float(want.max()) for want, _ in rows), default=0.0)
        return _apart(rows, lambda p: feature_pairs(p, _LINES * options.batch)), (0.0, largest)

    def _tuned_detector(self) -> Run:
        """Return the detector whose features the recognizer will read."""
        path = self._folder / "detector.npz"
        if not path.exists():
            return runner(self._twin("detector"))
        detector = quantize(self._twin("detector"))
        detector.set_weights(read_graph(path).weights)
        return runner(detector)

    def _twin(self, name: str) -> Any:
        if name not in self._twins:
            source = self._runs[name]
            self._twins[name] = build_twin(name, source.config, source.models[name])
        return self._twins[name]
