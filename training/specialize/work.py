"""The steps from photos and a pattern to a bundle and a report."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk import Reader
from sdk.charset import Charset
from sdk.errors import SdkError
from sdk.machine import has_bfloat16
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle, read_manifest, write_manifest
from sdk.model.settings import DecodeSettings
from sdk.model.store import find_named
from training.config import DataConfig, TrainConfig, config_text, load_config
from training.data.shards import list_shards, read_shard, shard_path, write_shard
from training.errors import TrainingError
from training.interruption import uninterrupted
from training.specialize import judge
from training.specialize.prints import rank_prints
from training.specialize.product import ProductGenerator
from training.specialize.report import PATTERN, Results, verdicts, write_report
from training.specialize.survey import Survey, survey
from training.synth.fonts import default_library
from training.synth.generator import Generator, SynthConfig
from training.synth.pattern_texts import PatternTexts

__all__ = ["Options", "specialize"]

# Seeds of the generated sets: no line of one is in another.
_TRAINING, _BOUND, _TEST, _GENERAL = 0x5EED, 0x5EED + 1, 0x5EED + 2, 0x5EED + 3
# The trainer holds the first shard back.
_PER_SHARD = 100
# Share of the product's lines in the batches. The others keep the network's general abilities.
_PRODUCT_SHARE = 0.6
_MOST_GENERAL_SHARDS = 8
_WORST = 30
# Steps of quantization-aware tuning, without which int8 may lose a line in ten.
_TUNING_STEPS = 60
_INITIAL, _TUNED, _MEAN = "initial", "fine-tuned", "mean of both"

Say = Callable[[str], None]
Lines = list[tuple[NDArray[np.uint8], str]]

# The network of the packaged model.
_NETWORK = Path(__file__).parents[1] / "configs" / "line.toml"
_TRAIN = TrainConfig(
    learning_rate=4.0e-4,
    warmup=30,
    ema=0.99,
    log_every=25,
    checkpoint_minutes=10.0,
    validate_minutes=1000.0,
    rescan_steps=0,
)


@dataclass(frozen=True)
class Options:
    """What to make.

    Attributes:
        photos: Folder of photos of the product, perhaps with a ``labels.jsonl``.
        patterns: Patterns of the product's lines.
        out: Folder of the bundle, which must not exist.
        minutes: Time of training.
        base: Bundle to start from, whose line network has the form of the packaged one.
        lines: Number of the product's lines to generate for training.
        general: Folder of shards of other line images; None generates half as many.
        kind: Kind of print; None for the most similar.
        fonts: Folder of fonts; None for the system's.
        held: Number of generated lines in the report.
        threads: CPU threads of the readers.
    """

    photos: Path
    patterns: tuple[str, ...]
    out: Path
    minutes: float = 60.0
    base: Path = DEFAULT_BUNDLE
    lines: int = 6000
    general: Path | None = None
    kind: str | None = None
    fonts: Path | None = None
    held: int = 300
    threads: int | None = None


def specialize(options: Options, say: Say) -> None:
    """Make a bundle for a product and write its report into the bundle's folder ``report``.

    The work goes on in a temporary folder beside the bundle, which is removed at the end. Only a
    complete bundle is moved to its place.

    Args:
        options: What to make.
        say: Called with messages on the progress.

    Raises:
        KeyboardInterrupt: The work was stopped; nothing was written.
        TrainingError: The photos show no line of the pattern, the target exists, or a step failed.
        ShardError: The disk is full, or a shard is damaged.
        SdkError: The base cannot be used, or a pattern is wrong.
    """
    out = options.out
    if out.exists():
        raise TrainingError(f"{out} exists. Give another --out; nothing was changed.")
    charset = read_manifest(options.base)[1].charset
    texts = PatternTexts(options.patterns, charset)
    with Reader(options.base, threads=options.threads) as reader:
        found = survey(reader, options.photos, options.patterns, say)
    labeled = judge.labeled_lines(options.photos, texts)
    with _beside(out) as folder:
        made = _Work(options, folder, charset, texts, found, say)
        made.generate()
        steps = made.fit()
        made.choose()
        made.export()
        made.report([(line.image, line.text) for line in labeled], steps)
        (folder / "bundle").rename(out)
    say(f"wrote {out}; the report is {out / 'report' / 'report.md'}")


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside a target, removed at the end with what was made for it."""
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise TrainingError(
            f"Cannot write beside {target}: {error.strerror or error}. Choose another --out."
        ) from error
    try:
        yield folder
    finally:
        with uninterrupted():
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # the target is there
                for parent in made:
                    parent.rmdir()


class _Work:
    """The steps after the survey, each with the files of the earlier ones."""

    def __init__(
        self,
        options: Options,
        folder: Path,
        charset: Charset,
        texts: PatternTexts,
        found: Survey,
        say: Say,
    ) -> None:
        self._options, self._folder, self._charset = options, folder, charset
        self._texts, self._survey, self._say = texts, found, say
        self._choice: dict[str, dict[str, float]] = {}
        self._chosen = _TUNED
        self._began = time.monotonic()

    def generate(self) -> None:
        """Write the shards of the product's lines and of general ones."""
        options = self._options
        fonts = default_library(options.fonts)
        self._say(f"comparing {len(fonts)} faces with the product's lines")
        self._prints = rank_prints(self._survey.lines, fonts, options.kind)
        if not self._prints:
            raise TrainingError(
                f"No print of kind {options.kind!r} has the characters of the product's lines. "
                "Leave --print out, or install fonts."
            )
        self._say(f"most similar print: {self._prints[0].kind}, {self._prints[0].name}")
        product = self._generator(_TRAINING)
        self._write("product", product.line, options.lines)
        for name, seed in (("bound", _BOUND), ("test", _TEST)):
            self._write(name, self._generator(seed).line, options.held)
        self._write_general()

    def _generator(self, seed: int) -> ProductGenerator:
        return ProductGenerator(self._survey.lines, self._prints, self._texts, seed)

    def _write(
        self, name: str, line: Callable[[int], tuple[NDArray[np.uint8], str]], count: int
    ) -> None:
        each = min(_PER_SHARD, max(1, count // 5))
        for number, start in enumerate(range(0, count, each)):
            indices = range(start, min(count, start + each))
            samples = ((i, image, {"text": text}) for i in indices for image, text in [line(i)])
            write_shard(shard_path(self._folder / name, number), samples)
            self._say(f"{name}: {indices.stop} of {count} lines generated")

    def _write_general(self) -> None:
        options = self._options
        if options.general is None:
            config = SynthConfig(
                seed=_GENERAL,
                fonts=None if options.fonts is None else str(options.fonts),
                charset=self._charset.symbols,
            )
            line = Generator(config).line
            self._write("general", line, max(1, options.lines // 2))
            self._write("others", lambda index: line(10**9 + index), options.held)
            return
        paths = list_shards(options.general)
        if len(paths) < 2:
            raise TrainingError(
                f"{options.general} holds one shard; one is held back for the comparison, so that "
                "two are needed. Leave --general out to generate these lines."
            )
        (self._folder / "general").mkdir()
        for number, path in enumerate(paths[: min(len(paths) - 1, _MOST_GENERAL_SHARDS)]):
            shutil.copyfile(path, shard_path(self._folder / "general", number))
        rows = islice(read_shard(paths[-1]), options.held)
        samples = ((i, image, {"text": row["text"]}) for i, (image, row) in enumerate(rows))
        write_shard(shard_path(self._folder / "others", 0), samples)

    def fit(self) -> int:
        """Fine-tune the line network and return the number of steps."""
        from training.loop.trainer import Trainer

        product, general = (self._count(name) for name in ("product", "general"))
        weight = (1 - _PRODUCT_SHARE) / _PRODUCT_SHARE * product / max(1, general)
        network = load_config(_NETWORK)
        config = replace(
            network,
            model=replace(network.model, charset=self._charset.symbols),
            data=replace(
                network.data,
                curriculum_steps=0,
                validation=200,
                workers=1,
                weights={"general": round(weight, 6)},
            ),
            train=replace(
                _TRAIN,
                init_from=str(self._options.base.resolve()),
                mixed_bfloat16=has_bfloat16(),
            ),
        )
        data = [self._folder / "product", self._folder / "general"]
        self._say(f"training for {self._options.minutes:g} minutes, {product} + {general} lines")
        trainer = Trainer(
            config_text(config), data, self._folder / "tuned", minutes=self._options.minutes
        )
        trainer.run()
        if trainer.progress() < 1:
            raise KeyboardInterrupt  # the trainer takes a signal for the end of its time
        return trainer.step

    def _count(self, name: str) -> int:
        return sum(1 for path in list_shards(self._folder / name) for _ in read_shard(path))

    def choose(self) -> None:
        """Take the mean with the initial weights if it keeps more than it loses."""
        from training.runs.average import average_runs, bundle_model
        from training.runs.folder import load_run

        tuned, mean = self._folder / "tuned", self._folder / "mean"
        average_runs([tuned, self._options.base], mean)
        runs = {_TUNED: load_run(tuned), _MEAN: load_run(mean)}
        config, models = runs[_TUNED].config, runs[_TUNED].models
        initial = bundle_model(self._options.base, config, models).parts["line"]
        networks = {_INITIAL: initial} | {name: run.models["line"] for name, run in runs.items()}
        for name, network in networks.items():
            self._choice[name] = {
                "product": self._strings(network, config.data, "bound"),
                "other lines": self._strings(network, config.data, "others"),
            }
            scores = ", ".join(f"{key} {value:.2%}" for key, value in self._choice[name].items())
            self._say(f"{name}: {scores}")
        self._chosen = max(runs, key=lambda name: sum(self._choice[name].values()))
        self._run = tuned if self._chosen == _TUNED else mean

    def _strings(self, network: Any, config: DataConfig, name: str) -> float:
        """Return the share of lines of a generated set that a network reads right."""
        from training.data.dataset import Part
        from training.data.line_images import LineImages, validation_frames
        from training.evaluate.reading import read_line_images

        folder = self._folder / name
        images = LineImages(self._charset, config.buckets[-1])
        for path in list_shards(folder):
            images.add(Part(folder, path.name))
        wanted: list[str] = []
        read: list[str] = []
        for pictures, columns, texts in validation_frames(images, config, self._options.held):
            wanted += texts
            read += read_line_images(network, pictures, columns, self._charset)
        return float(np.mean([a == b for a, b in zip(wanted, read, strict=True)]))

    def export(self) -> None:
        """Write the int8 bundle with the detector and the settings of the base, and calibrate."""
        from training.evaluate.confidence.calibrate import calibrate

        target = self._folder / "bundle"
        base = read_manifest(self._options.base)[1]
        plain = DecodeSettings().flat()
        changes = [
            f"{name}={json.dumps(value)}"
            for name, value in base.decode.flat().items()
            if plain[name] != value
        ]
        lines = [str(self._folder / name) for name in ("product", "general")]
        self._say("converting to int8")
        tuned = str(self._folder / "int8")
        steps = ("--steps", str(_TUNING_STEPS))
        self._convert("tune", "--photos", *lines, *steps, "--out", tuned)
        options = [*_detector(self._options.base), *(["--decode", *changes] if changes else [])]
        options += ["--precision", "int8", "--tuned", tuned, "--name", self._options.out.name]
        self._convert("export", *options, "--calibration", *lines, "--out", str(target))
        # without enough lines, or without a wrong one, the base's calibration is the best guess
        made = read_manifest(target)[1]
        temperature = {"line": base.temperature.get("line", 1)}
        known = replace(made, temperature=temperature, line_probability=base.line_probability)
        write_manifest(target, known)
        try:
            sets = [self._folder / name for name in ("bound", "others")]
            calibrate(target, sets, progress=lambda text: None)
        except TrainingError as error:
            self._say(f"the confidences keep the calibration of the base: {error}")

    def _convert(self, action: str, *options: str) -> None:
        """Convert the line network in a process of its own.

        The trainer may run on another backend than the converter.
        """
        command = [sys.executable, "-m", "convert", action, str(self._run), "--graphs", "line"]
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [*command, *options], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
            raise TrainingError(f"The conversion failed; nothing was written. It said:\n{last}")

    def report(self, labeled: Lines, steps: int) -> None:
        """Compare the readers and write the report into the bundle's folder ``report``."""
        options, target = self._options, self._folder / "bundle"
        sets = {"generated, held back": self._lines("test"), "labeled photos": labeled}
        tallies: list[tuple[tuple[str, str, str], judge.Tally]] = []
        worst: list[tuple[judge.Judged, judge.Judged]] = []
        readings: dict[tuple[str, str], list[judge.Judged]] = {}
        with (
            Reader(options.base, threads=options.threads) as default,
            Reader(target, threads=options.threads) as special,
        ):
            named = {"default": default, options.out.name: special}
            bound = judge.accept_bound(
                judge.read_lines(special, self._lines("bound"), options.patterns)
            )
            for name, lines in sets.items():
                for how, patterns in (("freely", None), (PATTERN, options.patterns)):
                    for who, reader in named.items():
                        self._say(f"reading {len(lines)} lines, {name}: {who}, {how}")
                        judged = judge.read_lines(reader, lines, patterns)
                        readings[who, how] = judged
                        if lines:
                            tallies.append(((name, who, how), judge.tally(judged, bound)))
                pairs = zip(*(readings[who, PATTERN] for who in named), strict=True)
                worst += [(old, new) for old, new in pairs if not new.is_right]
        worst.sort(key=lambda pair: -pair[1].confidence)
        counts = {
            "training": f"{options.minutes:g} minutes, {steps} steps",
            "generated lines": f"{options.lines} of the product, and general ones",
            "whole work": f"{(time.monotonic() - self._began) / 60:.0f} minutes",
            "size of the line graph": f"{_line_bytes(target) / 1e6:.2f} MB",
        }
        results = Results(
            options.patterns,
            self._survey,
            self._prints,
            counts,
            self._choice,
            self._chosen,
            tallies,
            self._lines("test")[:30],
            worst[:_WORST],
        )
        folder = target / "report"
        folder.mkdir()
        write_report(folder, options.out.name, results)
        for sentence in verdicts(tallies, options.out.name):
            self._say(sentence)

    def _lines(self, name: str) -> Lines:
        rows = [row for path in list_shards(self._folder / name) for row in read_shard(path)]
        return [(image, record["text"]) for image, record in rows]


def _detector(base: Path) -> list[str]:
    """Return the options of the export that give the bundle the detector of its base."""
    try:
        found = Bundle.open(base)
    except SdkError as error:
        raise TrainingError(str(error)) from error
    if "detector" not in found.roles:
        return []
    owner = (found.lender or found).folder
    named = find_named(owner.name)
    if named is not None and named.resolve() == owner.resolve():
        return ["--detector-of", owner.name]  # of an installed bundle no copy is needed
    return ["--detector", str(owner)]


def _line_bytes(bundle: Path) -> int:
    manifest = read_manifest(bundle)[1]
    return manifest.variants[manifest.default_variant]["line"].bytes
