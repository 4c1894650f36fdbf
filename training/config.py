"""Configuration: frozen dataclasses read from TOML.

Every key has a default. An unknown key, or a value of the wrong type, is an error that names the
key. The run folder keeps the text of the file, so that a run can be rebuilt from its folder.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.charsets import CHARSETS
from training.errors import TrainingError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "Config",
    "CrnnConfig",
    "DataConfig",
    "DetectorConfig",
    "LineConfig",
    "ModelConfig",
    "RecognizerConfig",
    "TrainConfig",
    "config_text",
    "load_config",
    "parse_config",
]


@dataclass(frozen=True)
class RecognizerConfig:
    """Shape of the recognition head.

    Attributes:
        widths: Channels of the convolutions that reduce the rows from 8 to 4, 4 to 2 and 2 to 1.
        row_blocks: Number of residual 3x3 blocks at 4 and at 2 rows.
        blocks: Number of residual temporal blocks at one row.
        kernel: Kernel width of a temporal block in columns; odd.
        columns: Greatest width in columns of a line cropped by RoIRotate in training.
    """

    widths: tuple[int, ...] = (64, 112, 224)
    row_blocks: tuple[int, ...] = (0, 0)
    blocks: int = 5
    kernel: int = 7
    columns: int = 64


@dataclass(frozen=True)
class LineConfig:
    """Shape of the line network before its recognition head.

    Attributes:
        stem: Channels of the three stem convolutions; the last are the head's input.
        blocks: Number of residual 3x3 blocks at 8 rows.
    """

    stem: tuple[int, ...] = (24, 32, 64)
    blocks: int = 2


@dataclass(frozen=True)
class CrnnConfig:
    """Shape of the recurrent line network.

    Attributes:
        widths: Channels of the seven convolutions.
        hidden: Units of each direction of the two bidirectional LSTM layers.
    """

    widths: tuple[int, ...] = (64, 128, 256, 256, 512, 512, 512)
    hidden: int = 256


@dataclass(frozen=True)
class DetectorConfig:
    """Shape of trunk, neck and detection head.

    Attributes:
        trunk: Name in the registry of trunks.
        fused: Whether the first two expanding stages use plain 3x3 convolutions.
        features: Channels of the shared stride-4 features.
        neck: Channels of the neck at strides 32, 16 and 8.
        head_blocks: Number of 3x3 convolutions of the detection head.
        separable: Whether the 3x3 convolutions of neck and head are separable.
    """

    trunk: str = "efficientnet_lite0"
    fused: bool = True
    features: int = 64
    neck: tuple[int, ...] = (96, 80, 64)
    head_blocks: int = 1
    separable: bool = False


@dataclass(frozen=True)
class ModelConfig:
    """Form of the network.

    Attributes:
        kind: ``"line"`` or ``"crnn"`` (line images), ``"detector"`` (photos) or ``"fots"`` (photos,
            with the recognition head).
        charset: Characters of the recognizer, or the name of a charset of `sdk.charsets`.
    """

    kind: str = "line"
    charset: str = DEFAULT_CHARSET.symbols
    line: LineConfig = field(default_factory=LineConfig)
    crnn: CrnnConfig = field(default_factory=CrnnConfig)
    recognizer: RecognizerConfig = field(default_factory=RecognizerConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)

    def __post_init__(self) -> None:
        """Replace the name of a charset by its characters."""
        if self.charset in CHARSETS:
            object.__setattr__(self, "charset", CHARSETS[self.charset].symbols)


@dataclass(frozen=True)
class DataConfig:
    """Batches and augmentation.

    Attributes:
        buckets: Widths in px to which line images are padded, increasing multiples of 32.
        columns: Pixel columns of a batch of line images: batch size = columns // bucket width.
        max_batch: Greatest number of line images in a batch.
        batch_multiple: Batch sizes of line images are rounded up to a multiple of this, which the
            number of processes of a training must divide.
        divide: Whether each of several processes keeps its part of the samples in memory and draws
            from it, instead of keeping all. The batches then depend on the number of processes.
        curriculum_steps: Number of first steps with line images of ``curriculum_width`` px at most.
            The plateau on which CTC gives only blanks ends after steps, not after samples.
        curriculum_width: Greatest width in px of line images in the first steps.
        stretch: Least and greatest horizontal scale of a line image.
        crop: Side in px of a square crop of a photo.
        batch: Number of crops in a batch.
        rois: Number of lines read in a crop.
        quarter_turns: Share of crops rotated by 90, 180 or 270 degrees.
        max_angle: Greatest additional rotation of a crop in degrees.
        scale: Least and greatest scale of a crop.
        roi_jitter: Noise of the lines' corners, as a share of the line's height.
        weights: Relative frequency of samples, by the name of the data folder; 1 for folders that
            are not named.
        held_back: Number of first shards for validation.
        validation: Greatest number of samples in a validation.
        workers: Number of threads that make batches.
        prefetch: Number of prefetched batches.
    """

    buckets: tuple[int, ...] = (64, 96, 128, 192, 256, 384, 512)
    columns: int = 8192
    max_batch: int = 64
    batch_multiple: int = 1
    divide: bool = False
    curriculum_steps: int = 0
    curriculum_width: int = 128
    stretch: tuple[float, ...] = (0.85, 1.2)
    crop: int = 256
    batch: int = 8
    rois: int = 8
    quarter_turns: float = 0.1
    max_angle: float = 12.0
    scale: tuple[float, ...] = (0.6, 1.4)
    roi_jitter: float = 0.08
    weights: Mapping[str, float] = field(default_factory=dict)
    held_back: int = 1
    validation: int = 512
    workers: int = 2
    prefetch: int = 6


@dataclass(frozen=True)
class TrainConfig:
    """Optimization.

    Attributes:
        steps: Optimizer steps of the whole run.
        learning_rate: Peak of the cosine schedule.
        last_rate: Rate at the end as a share of the peak; 1 for a constant rate.
        warmup: Steps of linear warm-up.
        weight_decay: AdamW's decay, of kernels only.
        clip_norm: Greatest global norm of the gradients.
        ema: Momentum of the moving average of the weights, which is evaluated and exported; 1 for
            the mean of all steps. From averaged weights on, this mean and a constant rate keep what
            the usual average and a falling rate lose, see docs/results/run22.md.
        score_weight: Weight of the score loss.
        geometry_weight: Weight of the geometry loss.
        logits_weight: Weight of the CTC loss.
        mixed_bfloat16: Whether to compute in bfloat16, for machines with hardware for this type.
        jit: Whether to compile the step, which is faster on GPUs. JAX always compiles; TensorFlow
            cannot.
        seed: Seed of initial weights and of batches.
        init_from: Run folder or bundle of the initial weights, copied by layer name; ``default``
            for the packaged model; empty for none. Classes are copied by character.
        patience: Number of validations without a better share of exact strings after which the run
            ends; the best weights are kept. 0 to train to the last step and keep the last weights.
            With --minutes, validations are at most a tenth of that time apart.
        log_every: Number of steps between rows of train.csv.
        checkpoint_minutes: Minutes between checkpoints.
        validate_minutes: Minutes between validations.
        rescan_steps: Number of steps between searches for new shards; 0 never searches again.
    """

    steps: int = 100_000
    learning_rate: float = 1.5e-3
    last_rate: float = 0.01
    warmup: int = 300
    weight_decay: float = 1e-4
    clip_norm: float = 5.0
    ema: float = 0.999
    score_weight: float = 1.0
    geometry_weight: float = 1.0
    logits_weight: float = 1.0
    mixed_bfloat16: bool = False
    jit: bool = False
    seed: int = 1
    init_from: str = ""
    patience: int = 0
    log_every: int = 50
    checkpoint_minutes: float = 5.0
    validate_minutes: float = 10.0
    rescan_steps: int = 2000


@dataclass(frozen=True)
class Config:
    """Configuration of a run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


def _convert(value: Any, kind: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _build(kind, value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise TrainingError(f"{where} must be a list, not {value!r}.")
        return tuple(_convert(v, get_args(kind)[0], f"{where}[{i}]") for i, v in enumerate(value))
    if get_origin(kind) is Mapping:
        if not isinstance(value, dict):
            raise TrainingError(f"{where} must be a table, not {value!r}.")
        return {k: _convert(v, get_args(kind)[1], f"{where}.{k}") for k, v in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # isinstance takes a bool for an int, but "steps = true" is an error
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TrainingError(f"{where} must be {kind.__name__}, not {value!r}.")
    return value


def _build(kind: Any, table: Any, where: str) -> Any:
    if not isinstance(table, dict):
        raise TrainingError(f"{where} must be a table, not {table!r}.")
    types = get_type_hints(kind)
    unknown = sorted(set(table) - set(types))
    if unknown:
        raise TrainingError(
            f"Unknown key {unknown[0]!r} in {where}. Known there: {', '.join(sorted(types))}."
        )
    return kind(**{k: _convert(v, types[k], f"{where}.{k}") for k, v in table.items()})


_POSITIVE_TRAIN = ("steps", "log_every")
_POSITIVE_DATA = ("columns", "max_batch", "batch_multiple", "batch", "rois", "validation")


def _bounds(where: str, table: Any, names: Sequence[str], least: int) -> Iterator[tuple[bool, str]]:
    for name in names:
        value = getattr(table, name)
        yield value >= least, f"{where}.{name} must be at least {least}, not {value}."


def _check(config: Config) -> None:
    data, model = config.data, config.model
    try:
        Charset(model.charset)
    except ValueError as error:
        raise TrainingError(f"Wrong configuration: model.charset: {error}") from error
    rules = [
        (
            model.kind in ("line", "crnn", "fots", "detector"),
            f"model.kind is {model.kind!r}; use 'line', 'crnn', 'fots' or 'detector'.",
        ),
        (len(model.crnn.widths) == 7, "model.crnn.widths needs seven widths."),
        (model.crnn.hidden > 0, f"model.crnn.hidden must be above 0, not {model.crnn.hidden}."),
        (len(model.line.stem) == 3, "model.line.stem needs three widths."),
        (len(model.recognizer.widths) == 3, "model.recognizer.widths needs three widths."),
        (len(model.recognizer.row_blocks) == 2, "model.recognizer.row_blocks needs two counts."),
        (model.recognizer.kernel % 2 == 1, "model.recognizer.kernel must be odd."),
        (len(model.detector.neck) == 3, "model.detector.neck needs three widths."),
        (
            bool(data.buckets)
            and list(data.buckets) == sorted(set(data.buckets))
            and all(b > 0 and b % 32 == 0 for b in data.buckets),
            f"data.buckets must be increasing multiples of 32, not {list(data.buckets)}.",
        ),
        (data.crop % 32 == 0 and data.crop > 0, "data.crop must be a multiple of 32."),
        (len(data.stretch) == 2 and len(data.scale) == 2, "stretch and scale are [least, most]."),
        (
            all(0 < weight < math.inf for weight in data.weights.values()),
            f"data.weights must be above 0, not {dict(data.weights)}.",
        ),
        (0 <= config.train.ema <= 1, "train.ema must be from 0 to 1."),
        (0 <= config.train.last_rate <= 1, "train.last_rate must be from 0 to 1."),
        *_bounds("train", config.train, _POSITIVE_TRAIN, 1),
        *_bounds("train", config.train, ("warmup", "rescan_steps", "patience"), 0),
        *_bounds("data", config.data, _POSITIVE_DATA, 1),
        *_bounds("data", config.data, ("held_back", "curriculum_steps", "workers", "prefetch"), 0),
    ]
    for good, message in rules:
        if not good:
            raise TrainingError(f"Wrong configuration: {message}")


def parse_config(text: str, source: str = "configuration") -> Config:
    """Return the configuration written in TOML text.

    Args:
        text: The TOML document.
        source: Name of the document in error messages.

    Raises:
        TrainingError: Invalid TOML, an unknown key, or an illegal value.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{source} is not valid TOML: {error}.") from error
    config: Config = _build(Config, table, source)
    _check(config)
    return config


def load_config(path: Path | str) -> Config:
    """Return the configuration in a TOML file; see `parse_config`."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            f"Cannot read the configuration {path}: {error.strerror or error}. "
            "Ready ones are in training/configs."
        ) from error
    return parse_config(text, str(path))


def config_text(config: Config) -> str:
    """Return a configuration as TOML, which `parse_config` reads back."""
    lines: list[str] = []
    _write_table(config, "", lines)
    return "\n".join(lines) + "\n"


def _write_table(table: Any, name: str, lines: list[str]) -> None:
    values = {f.name: getattr(table, f.name) for f in dataclasses.fields(table)}
    tables = {k: v for k, v in values.items() if dataclasses.is_dataclass(v)}
    if len(values) > len(tables):
        lines.append(f"[{name}]")
    lines += [f"{k} = {_toml(v)}" for k, v in values.items() if k not in tables]
    for key, value in tables.items():
        _write_table(value, f"{name}.{key}".lstrip("."), lines)


def _toml(value: Any) -> str:
    """Return a value in TOML, whose strings, numbers and lists are written as in JSON."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    text = json.dumps(value, ensure_ascii=False)
    # a TOML string may not hold this one control character as it is
    return text.replace("\x7f", "\\u007f")
