"""Export training runs as a model bundle."""

from __future__ import annotations

import datetime
import math
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.calibrate import calibration_file
from convert.errors import ConvertError
from convert.folder import built_beside
from convert.graphs import GRAPHS, Normalization, check_model, freeze, split_normalization
from convert.inspect import inspect_file, loose_arithmetic
from convert.recipe import array_sha256, recipe_json, weights_sha256
from convert.samples import GENERATOR_SEED, Samples, gather, generate
from convert.tflite import PRECISIONS, Conversion, convert_apart
from convert.verify import FLOORS, Floor, Report, shortfalls, verify_bundle
from sdk.charset import Charset
from sdk.errors import SdkError
from sdk.files import write_atomically
from sdk.model.bundle import write_manifest
from sdk.model.manifest import GraphSpec, Manifest
from sdk.model.settings import DecodeSettings

__all__ = ["Options", "Source", "export", "open_run"]

# Of a run's own record; its command line would tell of the machine it ran on.
_RECORDED = ("kind", "step", "seconds", "samples", "shards", "parameters", "validation", "backend")


@dataclass(frozen=True)
class Source:
    """A run to export from.

    Attributes:
        name: Its folder's name.
        charset: Characters of its recognizers.
        models: Its Keras models by graph name.
        record: What is known of its training.
    """

    name: str
    charset: Charset
    models: Mapping[str, Any]
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How to export.

    Attributes:
        precisions: Variants to make, each one of `PRECISIONS`.
        frame: (height, width) of the detector's input in pixels, multiples of 32.
        columns: Static columns of the recognizer's input; the interpreter can resize them.
        strip_width: Static width of the line graph's input in pixels, a multiple of 32.
        calibration: Folders of samples; empty draws them with the generator.
        count: Most photos, and most strips, to calibrate on.
        held_back: Most photos, and most strips, to compare on; never calibrated on.
        photos: Further folders to compare on, each on its own.
        name: Name of the bundle; its folder's name if empty.
        version: Version of the bundle.
        default_variant: Variant the SDK opens; ``int8`` or the first one if empty.
        decode: Thresholds of the SDK's decoding.
        floors: What each variant must reach.
        force: Whether an existing bundle may be replaced.
    """

    precisions: tuple[str, ...] = ("int8",)
    frame: tuple[int, int] = (640, 640)
    columns: int = 64
    strip_width: int = 256
    calibration: tuple[Path, ...] = ()
    count: int = 200
    held_back: int = 64
    photos: tuple[Path, ...] = ()
    name: str = ""
    version: str = "1"
    default_variant: str = ""
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    floors: Mapping[str, Floor] = field(default_factory=lambda: FLOORS)
    force: bool = False

    def check(self) -> None:
        """Check the values against each other.

        Raises:
            ConvertError: One is outside its legal values.
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
                self.strip_width > 0 and self.strip_width % 32 == 0,
                f"The strip width must be a multiple of 32 px, not {self.strip_width}.",
            ),
            (self.columns > 0, f"The recognizer needs columns, not {self.columns}."),
            (
                self.default_variant in ("", *self.precisions),
                f"The default variant {self.default_variant!r} is not among those exported.",
            ),
            (self.count > 0 and self.held_back > 0, "At least one sample is needed for each use."),
        ]
        for good, message in rules:
            if not good:
                raise ConvertError(message)


def open_run(folder: Path) -> Source:
    """Return the models of a run folder, with their averaged weights.

    Raises:
        ConvertError: The folder is no run, or holds no weights yet.
    """
    from training.errors import TrainingError
    from training.run import load_run

    try:
        run = load_run(folder)
    except TrainingError as error:
        raise ConvertError(str(error)) from error
    record = {key: _finite(run.record[key]) for key in _RECORDED if key in run.record}
    return Source(
        folder.resolve().name, Charset(run.config.model.charset), dict(run.models), record
    )


def _finite(value: Any) -> Any:
    """Return a JSON value without what JSON cannot hold, such as the loss of a diverged run."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def export(
    sources: Sequence[Source],
    target: Path,
    options: Options,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, dict[str, Report]]:
    """Convert, verify and write a bundle.

    Args:
        sources: Runs; where two have the same graph, the later one gives it.
        target: The bundle's folder, written whole or not at all.
        options: How.
        say: Told what is being done, a line each.

    Returns:
        Reports by set of samples and variant.

    Raises:
        ConvertError: Unusable options or runs, a failing converter, a variant below its floor, or
            a target that cannot be written.
    """
    options.check()
    models, charset = merge(sources)
    with built_beside(target, force=options.force) as folder:
        try:
            return _build(folder, target.resolve().name, sources, models, charset, options, say)
        except SdkError as error:
            raise ConvertError(f"The bundle is not written. {error}") from error


def _build(
    folder: Path,
    name: str,
    sources: Sequence[Source],
    models: Mapping[str, Any],
    charset: Charset,
    options: Options,
    say: Callable[[str], None],
) -> dict[str, dict[str, Report]]:
    """Fill a folder with a verified bundle."""
    say(f"preparing samples: {options.count} to calibrate, {options.held_back} to compare")
    calibration, held_back = _samples(options).split(options.held_back)
    sets = {"held back": held_back} | {
        path.name: gather([path], options.held_back, options.held_back, options.frame)
        for path in options.photos
    }
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        files = _convert_all(models, calibration, options, folder, Path(scratch), say)
    created = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    runs = [_run_record(source, models) for source in sources]
    recipe = recipe_json(
        created=created,
        runs=runs,
        options=_plain(options),
        calibration=_calibration_record(calibration, options),
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
    """A variant does not agree well enough with its Keras models.

    Attributes:
        reports: By set of samples and variant.
    """

    def __init__(self, found: list[str], reports: dict[str, dict[str, Report]]) -> None:
        """Say what is below its floor."""
        self.reports = reports
        super().__init__(
            "The bundle is not written, its variants agree too little with the Keras models:\n  "
            + "\n  ".join(found)
            + "\nCalibrate on more or better samples, train longer, or lower the floor "
            "(--min-same, --max-lost, --min-correlation)."
        )


def merge(sources: Sequence[Source]) -> tuple[dict[str, Any], Charset]:
    """Return the models of all runs by graph name, checked, and their common charset.

    Raises:
        ConvertError: The runs differ in charset, break a contract or have no line graph.
    """
    models: dict[str, Any] = {}
    for source in sources:
        if source.charset != sources[0].charset:
            raise ConvertError(
                f"{sources[0].name} and {source.name} have different charsets; one bundle has one."
            )
        for name, model in source.models.items():
            if name not in GRAPHS:
                raise ConvertError(f"{source.name} has a model {name!r}; known: {sorted(GRAPHS)}.")
            check_model(model, GRAPHS[name])
            models[name] = model
    if "line" not in models:
        raise ConvertError(
            f"No line graph in {', '.join(s.name for s in sources) or 'no run'}: every bundle "
            'needs one. Add a run of model.kind = "line".'
        )
    if "recognizer" in models:
        channels = models["recognizer"].inputs[0].shape[-1]
        features = models["detector"].output["features"].shape[-1] if "detector" in models else None
        if features != channels:
            raise ConvertError(
                f"The recognizer takes {channels} feature channels, the detector gives {features}: "
                "both must come from the same run."
            )
    return models, sources[0].charset


def _default(precisions: Sequence[str]) -> str:
    return "int8" if "int8" in precisions else precisions[0]


def _samples(options: Options) -> Samples:
    count = options.count + options.held_back
    if options.calibration:
        return gather(options.calibration, count, count, options.frame)
    return generate(count, count, options.frame)


def _shape(name: str, model: Any, options: Options) -> tuple[int, int, int, int]:
    channels = int(model.inputs[0].shape[-1])
    height, width = {
        "detector": options.frame,
        "recognizer": (8, options.columns),
        "line": (32, options.strip_width),
    }[name]
    return 1, height, width, channels


def _convert_all(
    models: Mapping[str, Any],
    calibration: Samples,
    options: Options,
    folder: Path,
    scratch: Path,
    say: Callable[[str], None],
) -> dict[str, dict[str, GraphSpec]]:
    """Write the files of all variants; returns them by variant and graph."""
    files: dict[str, dict[str, GraphSpec]] = {precision: {} for precision in options.precisions}
    for name, model in models.items():
        shape = _shape(name, model, options)
        for precision in options.precisions:
            say(f"converting {name} to {precision}")
            target = folder / f"{name}-{precision}.tflite"
            job = _frozen(name, model, shape, precision, scratch, target)
            if precision == "int8":
                samples = scratch / f"{name}.npy"
                calibration_file(name, shape, calibration, models.get("detector"), samples)
                job = replace(job, calibration=samples)
            convert_apart(job)
            target.with_name(f"{target.name}.log").unlink()
            files[precision][name] = _described(target, say)
    return files


def _described(path: Path, say: Callable[[str], None]) -> GraphSpec:
    graph = inspect_file(path)
    loose = loose_arithmetic(graph)
    if loose:
        found = ", ".join(sorted(f"{op.name} {list(op.shape)}" for op in loose))
        say(f"  note: {path.name} keeps operations that a convolution could hold: {found}")
    return GraphSpec.of_file(path, graph.inputs, graph.outputs)


def _frozen(
    name: str,
    model: Any,
    shape: tuple[int, int, int, int],
    precision: str,
    scratch: Path,
    target: Path,
) -> Conversion:
    """Freeze a model for a precision, unless that was done, and return its conversion."""
    kind = GRAPHS[name]
    integer = precision == "int8"
    saved = scratch / f"{name}-{'integer' if integer else 'float'}"
    core, normalization = model, Normalization()
    if integer and kind.is_image:
        core, normalization = split_normalization(model, kind)
    if not saved.exists():
        freeze(core, kind, shape, saved, normalized=integer or not kind.is_image)
    return Conversion(
        saved,
        target,
        precision,
        kind.is_image,
        scale=normalization.scale,
        offset=normalization.offset,
    )


def _run_record(source: Source, models: Mapping[str, Any]) -> dict[str, Any]:
    graphs = {
        name: weights_sha256(model)
        for name, model in source.models.items()
        if models[name] is model
    }
    return {"name": source.name, "weights_sha256": graphs, **source.record}


def _plain(options: Options) -> dict[str, Any]:
    values = asdict(options)
    values.pop("force")
    values["calibration"] = [path.name for path in options.calibration]
    values["photos"] = [path.name for path in options.photos]
    return values


def _calibration_record(samples: Samples, options: Options) -> dict[str, Any]:
    def arrays() -> Iterable[np.ndarray]:
        yield from (photo.frame for photo in samples.photos)
        yield from (strip.pixels for strip in samples.strips)

    return {
        "source": [path.name for path in options.calibration]
        or f"generator, seed {GENERATOR_SEED}",
        "photos": len(samples.photos),
        "strips": len(samples.strips),
        "sha256": array_sha256(arrays()),
    }
