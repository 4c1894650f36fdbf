"""Export training runs as a model bundle."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError
from convert.export.adopt import Variant, adopt_graph, graph_runs
from convert.export.variants import Shape, Variants
from convert.folder import built_beside
from convert.quantize.tuned_graphs import open_tuned
from convert.recipe import array_sha256, recipe_json
from convert.source.recurrent import check_precisions
from convert.source.run import TrainedRun, merge, owners, run_record
from convert.source.samples import CALIBRATION_SEED, Samples, by_name, gather, generate
from convert.tflite.conversion import PRECISIONS
from convert.verify.floors import FLOORS, Floor, shortfalls
from convert.verify.report import Report
from convert.verify.verify import bundle_manifest, verify_bundle
from sdk.charset import Charset
from sdk.errors import SdkError
from sdk.files import write_atomically
from sdk.model.bundle import write_manifest
from sdk.model.manifest import Manifest
from sdk.model.settings import DecodeSettings
from sdk.recognize.features import FEATURE_ROWS
from sdk.rectify.crop import CROP_HEIGHT

__all__ = ["BelowFloorError", "Options", "export"]

_HELD_BACK = "held back"  # name of the set of samples from the calibration's source


@dataclass(frozen=True)
class Options:
    """Options of an export.

    Attributes:
        precisions: Variants to write, from `PRECISIONS`.
        graphs: Graphs to convert; empty for all graphs of the runs. Without the recognizer, lines
            are read from the picture's pixels only.
        frame: (height, width) of the detector's input in pixels, multiples of 32.
        columns: Static columns of the recognizer's input; the interpreter can resize them.
        line_width: Static width of the line graph's input in pixels, a multiple of 32.
        calibration: Folders of samples; empty for generated samples.
        count: Greatest number of photos, and of line images, for the calibration.
        held_back: Greatest number of photos, and of line images, for the comparison; these are not
            in the calibration.
        photos: Additional folders for the comparison, each a set of its own.
        tuned: Folder of tuned graphs for the int8 variant; None for quantization after training.
        detector: Bundle whose detector is copied, in each variant; None if the runs have the
            detector, or for a bundle without one.
        detector_of: Name of an installed bundle whose detector the new bundle uses, without a copy;
            empty for none.
        line: Bundle whose line graph is copied, in each variant; None if the runs have it.
        name: Name of the bundle; empty for its folder's name.
        version: Version of the bundle.
        default_variant: Variant that the SDK opens; empty for ``int8``, or the first variant.
        decode: Thresholds of the SDK's decoding.
        floors: Least fidelity by variant.
        force: Whether an existing bundle may be replaced.
    """

    precisions: tuple[str, ...] = ("int8",)
    graphs: tuple[str, ...] = ()
    frame: tuple[int, int] = (640, 640)
    columns: int = 64
    line_width: int = 256
    calibration: tuple[Path, ...] = ()
    count: int = 200
    held_back: int = 64
    photos: tuple[Path, ...] = ()
    tuned: Path | None = None
    detector: Path | None = None
    detector_of: str = ""
    line: Path | None = None
    name: str = ""
    version: str = "1"
    default_variant: str = ""
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    floors: Mapping[str, Floor] = field(default_factory=lambda: FLOORS)
    force: bool = False

    @property
    def adopted(self) -> dict[str, Path]:
        """The bundles from which graphs are copied, by role."""
        given = {"detector": self.detector, "line": self.line}
        return {role: bundle for role, bundle in given.items() if bundle is not None}

    def check(self) -> None:
        """Check the values.

        Raises:
            ConvertError: A value is illegal.
        """
        unknown = [p for p in self.precisions if p not in PRECISIONS]
        rules = [
            (not unknown, f"Unknown precision {unknown}. Known: {', '.join(PRECISIONS)}."),
            (bool(self.precisions), "Give at least one precision."),
            (
                all(n > 0 and n % 32 == 0 for n in self.frame),
                f"The frame must be multiples of 32 px, not {self.frame[1]}x{self.frame[0]}.",
            ),
            (
                self.line_width > 0 and self.line_width % 32 == 0,
                f"The width of the line graph must be a multiple of 32 px, not {self.line_width}.",
            ),
            (self.columns > 0, f"The recognizer needs columns, not {self.columns}."),
            (
                self.default_variant in ("", *self.precisions),
                f"The default variant {self.default_variant!r} is not among those exported.",
            ),
            (self.count > 0 and self.held_back > 0, "At least one sample is needed for each use."),
            (
                self.tuned is None or "int8" in self.precisions,
                "Tuned graphs are integer graphs: add int8 to --precision.",
            ),
            (
                not self.detector_of or self.detector is None,
                "Give either a bundle to copy the detector of, or the name of one that lends it.",
            ),
            (
                not self.graphs or "line" in self.graphs or self.line is not None,
                "Every bundle needs the line graph: add line to --graphs.",
            ),
            (
                "recognizer" not in self.graphs or "detector" in self.graphs,
                "The recognizer reads the detector's features: add detector to --graphs.",
            ),
        ]
        for good, message in rules:
            if not good:
                raise ConvertError(message)
        by_name(self.photos, _HELD_BACK)


def export(
    sources: Sequence[TrainedRun],
    target: Path,
    options: Options,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, dict[str, Report]]:
    """Convert, verify and write a bundle.

    Args:
        sources: Runs; if two have the same graph, the later run is taken.
        target: The bundle's folder, written atomically.
        options: Options of the export.
        say: Called with messages on the progress.

    Returns:
        Reports by set of samples and variant.

    Raises:
        ConvertError: Illegal options, unusable runs, a failed conversion, a variant below its
            floor, or a target that cannot be written.
    """
    options.check()
    models, charset = merge(sources, options.graphs, options.adopted)
    for role, bundle in options.adopted.items():
        if role in models:
            raise ConvertError(
                f"Both the runs and {bundle} have a {role}: leave --{role} out, or take only "
                "other graphs of the runs with --graphs."
            )
    if options.detector_of and "detector" in models:
        raise ConvertError(
            f"The runs have a detector, so that none of {options.detector_of!r} is used: leave "
            "--detector-of out, or take only the line graph with --graphs line."
        )
    if options.line is not None:
        lines = bundle_manifest(options.line).charset
        if "recognizer" in models and lines != charset:
            raise ConvertError(
                f"The lines of {options.line} have other characters than the runs: one bundle has "
                "one charset."
            )
        charset = lines  # a detector has no characters
    for model in models.values():
        check_precisions(model, options.precisions)
    with built_beside(target, force=options.force) as folder:
        try:
            return _build(folder, target.resolve().name, sources, models, charset, options, say)
        except SdkError as error:
            raise ConvertError(f"The bundle is not written. {error}") from error


def _build(
    folder: Path,
    name: str,
    sources: Sequence[TrainedRun],
    models: Mapping[str, Any],
    charset: Charset,
    options: Options,
    say: Callable[[str], None],
) -> dict[str, dict[str, Report]]:
    """Write a verified bundle into a folder."""
    tuned = {}
    if options.tuned is not None:
        wanted = {name: run for name, run in owners(sources).items() if name in models}
        tuned = open_tuned(options.tuned, wanted)
    say(f"preparing samples: {options.count} to calibrate, {options.held_back} to compare")
    calibration, held_back = _samples(options).split(options.held_back)
    sets = {_HELD_BACK: held_back} | {
        name: gather([path], options.held_back, options.held_back, options.frame, options.decode)
        for name, path in by_name(options.photos).items()
    }
    shapes = {name: _shape(name, model, options) for name, model in models.items()}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        configs = {name: owner.config for name, owner in owners(sources).items()}
        variants = Variants(models, configs, shapes, calibration, tuned, Path(scratch), say)
        files: dict[str, Variant] = {p: variants.write(p, folder) for p in options.precisions}
    runs = [run_record(source, models) for source in sources]
    for role, bundle in options.adopted.items():
        files = adopt_graph(role, bundle, files, folder)
        runs += graph_runs(role, bundle)
    created = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    recipe = recipe_json(
        created=created,
        runs=runs,
        options=_plain(options),
        calibration=_calibration_record(calibration, options),
        tuned={name: graph.record for name, (_, graph) in tuned.items()},
    )
    write_atomically(folder / "recipe.json", recipe)
    manifest = Manifest(
        name=options.name or name,
        version=options.version,
        created=created,
        charset=charset,
        default_variant=options.default_variant or _default(options.precisions),
        variants=files,
        decode=options.decode,
        training={"runs": runs},
        detector_of=options.detector_of,
    )
    write_manifest(folder, manifest)
    say("comparing with the Keras models")
    reports = {name: verify_bundle(folder, models, part) for name, part in sets.items()}
    found = [
        f"{name}: {sentence}"
        for name, report in reports.items()
        for sentence in shortfalls(report, options.floors)
    ]
    if found:
        raise BelowFloorError(found, reports)
    verification = {
        name: {variant: r.to_dict() for variant, r in report.items()}
        for name, report in reports.items()
    }
    training = {"runs": runs, "verification": verification}
    write_manifest(folder, replace(manifest, training=training))
    return reports


class BelowFloorError(ConvertError):
    """A variant differs too much from its Keras models.

    Attributes:
        reports: By set of samples and variant.
    """

    def __init__(self, found: list[str], reports: dict[str, dict[str, Report]]) -> None:
        """Create the error from sentences on the shortfalls."""
        self.reports = reports
        super().__init__(
            "The bundle is not written, because variants are below their floors:\n  "
            + "\n  ".join(found)
            + "\nCalibrate on more or better samples, train longer, or lower the floor "
            "(--min-same, --max-lost, --min-correlation)."
        )


def _default(precisions: Sequence[str]) -> str:
    return "int8" if "int8" in precisions else precisions[0]


def _shape(name: str, model: Any, options: Options) -> Shape:
    channels = int(model.inputs[0].shape[-1])
    height, width = {
        "detector": options.frame,
        "recognizer": (FEATURE_ROWS, options.columns),
        "line": (CROP_HEIGHT, options.line_width),
    }[name]
    return 1, height, width, channels


def _samples(options: Options) -> Samples:
    count = options.count + options.held_back
    if options.calibration:
        return gather(options.calibration, count, count, options.frame, options.decode)
    return generate(count, count, options.frame, CALIBRATION_SEED, options.decode)


def _plain(options: Options) -> dict[str, Any]:
    values = asdict(options)
    values.pop("force")
    values["calibration"] = [path.name for path in options.calibration]
    values["photos"] = [path.name for path in options.photos]
    for name in ("tuned", "detector", "line"):
        values[name] = values[name] and values[name].name
    return values


def _calibration_record(samples: Samples, options: Options) -> dict[str, Any]:
    def arrays() -> Iterable[np.ndarray]:
        yield from (photo.frame for photo in samples.photos)
        yield from (line.pixels for line in samples.lines)

    return {
        "source": [path.name for path in options.calibration]
        or f"generator, seed {CALIBRATION_SEED}",
        "photos": len(samples.photos),
        "lines": len(samples.lines),
        "sha256": array_sha256(arrays()),
    }
