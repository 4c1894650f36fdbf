"""Training of every kind of network: one loop over Keras' compiled step.

`keras.Model.fit` cannot resume in the middle of an epoch. This loop feeds ``train_on_batch`` with
the batch of each step, so a killed run resumes at the same step with the same batch. Several
processes may train together, see `Group`: all of them run this loop, the chief alone writes files,
validates and decides what depends on clocks, signals and folders.
"""

from __future__ import annotations

import csv
import functools
import json
import logging
import math
import platform
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from sdk.charset import Charset
from sdk.errors import SdkError
from sdk.files import write_atomically
from training.config import Config, parse_config
from training.data.dataset import Part, check_weights, find_parts, prefetched, weight_of
from training.data.shards import ShardError
from training.data.share import WHOLE, Share
from training.errors import TrainingError
from training.loop.curves import draw_curves
from training.loop.early_stop import EarlyStop, validation_score
from training.loop.fots_task import FotsTask
from training.loop.group import Group
from training.loop.line_task import LineTask
from training.loop.moving_average import MovingAverage
from training.loop.schedule import learning_rate
from training.models.build import Built, build_models
from training.runs.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from training.runs.folder import (
    AVERAGED,
    BEST,
    CHECKPOINT,
    CONFIG,
    LAST,
    RECORD,
    save_weights,
)
from training.runs.initial import take_initial_weights

__all__ = ["Trainer"]

_log = logging.getLogger("training")


class Task(Protocol):
    """Data, losses and validation of one kind of network."""

    loss: Any
    loss_weights: Any

    @property
    def samples(self) -> int:
        """Number of training samples."""

    def add(self, part: Part) -> None:
        """Add a part of the data that was written after the start."""

    @property
    def batch_sizes(self) -> list[int]:
        """Numbers of rows of the batches."""

    def batch(self, step: int, share: Share = WHOLE) -> tuple[Any, Any]:
        """Return a process's share of the inputs and targets of a step."""

    def validate(self, parts: dict[str, keras.Model]) -> dict[str, float]:
        """Return measures on held-back samples."""


TASKS: dict[str, Any] = {
    "line": LineTask,
    "crnn": LineTask,
    "fots": FotsTask,
    "detector": FotsTask,
}


class Trainer:
    """Trains a run in a folder, from the start or from its checkpoint; call `run`."""

    def __init__(
        self,
        config_text: str,
        data: Sequence[Path | str],
        folder: Path | str,
        *,
        minutes: float | None = None,
        command: Sequence[str] = (),
        group: Group | None = None,
    ) -> None:
        """Read data and build networks; restore the folder's checkpoint if there is one.

        Args:
            config_text: TOML of the run; a resumed run uses the configuration in its folder.
            data: Folders of shards and labeled folders, see `training.data.dataset.find_parts`.
            folder: Run folder; created if missing.
            minutes: Greatest training time in minutes, over all calls. The learning rate decays
                over this time if it ends before the last step.
            command: Command line for ``run.json``.
            group: The processes that train together; None for this process alone. All of them must
                see data and folder.

        Raises:
            TrainingError: Wrong configuration, unusable data or folder.
            ShardError: No data in a folder, or a damaged shard.
        """
        self._folder = Path(folder)
        self._group = group or Group()
        self._minutes = minutes
        self._command = list(command)
        self._losses: list[dict[str, float]] = []
        self._measures: dict[str, float] = {}
        self._validated = -1  # step of the last validation
        self._writer: Any = None
        self._data = [Path(each) for each in data]
        saved = self._begin_folder(config_text)
        train = self.config.train
        keras.mixed_precision.set_global_policy(
            "mixed_bfloat16" if train.mixed_bfloat16 else "float32"
        )
        keras.utils.set_random_seed(train.seed)
        self._built: Built = build_models(self.config.model)
        with self._group.alone():  # the chief validates while the others wait
            self._averaged: Built = build_models(self.config.model)
        self._open_data(saved)
        self._compile()
        self._restore(saved)

    @property
    def model(self) -> keras.Model:
        """The network that the optimizer trains."""
        return self._built.trained

    @property
    def parts(self) -> dict[str, keras.Model]:
        """The exported networks with the present moving average of the weights."""
        self._averaged.trained.set_weights(self.average.values)
        return self._averaged.parts

    def _begin_folder(self, config_text: str) -> Checkpoint | None:
        path = self._folder / CHECKPOINT
        copy = self._folder / CONFIG
        if self._group.agree([path.exists()])[0]:
            text = copy.read_text(encoding="utf-8")
            if text != config_text:
                _log.warning("Resuming with the configuration in %s, not with the given one.", copy)
            self.config: Config = parse_config(text, str(copy))
            return read_checkpoint(path)
        if (self._folder / AVERAGED).exists():
            raise TrainingError(
                f"{self._folder} holds weights, but no checkpoint to resume from; an average of "
                f'runs has none. Give a new run folder, and train.init_from = "{self._folder}" to '
                "start from these weights."
            )
        self.config = parse_config(config_text)
        if not self._group.is_chief:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"Cannot make the run folder {self._folder}: {error}.") from error
        write_atomically(copy, config_text.encode())
        for name in ("train.csv", "validation.csv"):
            (self._folder / name).unlink(missing_ok=True)
        return None

    def _open_data(self, saved: Checkpoint | None) -> None:
        if saved is None:
            training, held_back = find_parts(self._data, self.config.data.held_back)
        else:
            training, held_back = self._known_parts(saved.state)
        if not self._group.is_alone:  # shards may be written just now
            state = {"parts": [part.name for part in training]}
            state["held_back"] = [part.name for part in held_back]
            training, held_back = self._known_parts(self._group.agree_on(state))
        fault = "data.weights names {!r}, which is not a folder of data"
        check_weights(self.config.data.weights, self._data, fault)
        self._parts = [part.name for part in training]
        self._held_back = [part.name for part in held_back]
        self._places = {part.place for part in (*training, *held_back)}
        weights = self.config.data.weights
        self._weights = {p.folder.name: weight_of(p, weights) for p in (*training, *held_back)}
        kept = self._group.share if self.config.data.divide else WHOLE
        self.task: Task = TASKS[self.config.model.kind](self.config, training, held_back, kept)
        _log.info("%d training samples in %d parts", self.task.samples, len(training))
        odd = sorted({n for n in self.task.batch_sizes if n % self._group.devices})
        if odd:
            raise TrainingError(
                f"A batch of {odd[0]} rows cannot be shared by {self._group.devices} devices. Take "
                f"another number of processes, or set data.batch_multiple (line images) or "
                f"data.batch (photos) to a multiple of {self._group.devices}."
            )

    def _known_parts(self, state: dict[str, Any]) -> tuple[list[Part], list[Part]]:
        """Return the parts for training and validation of a checkpoint, in its order."""
        there = find_parts(self._data, self.config.data.held_back)
        parts = [part for side in there for part in side]
        known = {
            replace(p, divided=d).name: replace(p, divided=d) for p in parts for d in (False, True)
        }
        sides = []
        for names, held_back in ((state["parts"], False), (state["held_back"], True)):
            missing = [name for name in names if name not in known]
            if missing:
                raise TrainingError(
                    f"The data lack {missing[0]}, which this run trains or validates on. "
                    "Give the folders that the run was started with."
                )
            sides.append([replace(known[name], held_back=held_back) for name in names])
        return sides[0], sides[1]

    def _compile(self) -> None:
        train = self.config.train
        optimizer = keras.optimizers.AdamW(
            learning_rate=train.learning_rate,
            weight_decay=train.weight_decay,
            global_clipnorm=train.clip_norm,
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self._group.share_gradients(optimizer)
        backend = keras.backend.backend()
        if train.jit and backend == "tensorflow":
            raise TrainingError(
                "train.jit: TensorFlow cannot compile the CTC loss with XLA. Set jit = false, or "
                "train with KERAS_BACKEND=jax or KERAS_BACKEND=torch."
            )
        if train.jit and backend == "torch" and not self._group.is_alone:
            raise TrainingError(
                "train.jit: PyTorch compiles no step of several processes. Set jit = false, or "
                "train with KERAS_BACKEND=jax."
            )
        jit: Any = True if backend == "jax" else train.jit
        self.model.compile(
            optimizer=optimizer,
            loss=self.task.loss,
            loss_weights=self.task.loss_weights,
            jit_compile=jit,
        )
        optimizer.build(self.model.trainable_variables)

    def _restore(self, saved: Checkpoint | None) -> None:
        self.step, self.seconds = 0, 0.0
        patience = self.config.train.patience
        self._early = EarlyStop(patience, saved.state.get("early") if saved else None)
        if saved is None:
            if self.config.train.init_from:
                with self._group.alone():
                    target = self._averaged.trained
                    target.set_weights(self.model.get_weights())
                    take_initial_weights(
                        self.config.train.init_from,
                        target,
                        Charset(self.config.model.charset),
                        lambda: self.task.batch(0)[0],
                    )
                self.model.set_weights(target.get_weights())
            weights = self.model.get_weights()
            self.average = MovingAverage(weights, self.config.train.ema)
            return
        self.model.set_weights(saved.weights)
        self.average = MovingAverage(saved.average, self.config.train.ema)
        for variable, value in zip(self.model.optimizer.variables, saved.optimizer, strict=True):
            variable.assign(value)
        self.step, self.seconds = int(saved.state["step"]), float(saved.state["seconds"])
        if self._group.is_chief:
            for name in ("train.csv", "validation.csv"):
                _drop_rows(self._folder / name, self.step)
        _log.info("resuming at step %d", self.step)

    def progress(self) -> float:
        """Return the progress of the run, 0 to 1."""
        share = self.step / self.config.train.steps
        if self._minutes:
            share = max(share, self.seconds / (60 * self._minutes))
        return min(1.0, share)

    def run(self, stop_step: int | None = None) -> dict[str, float]:
        """Train to the end and return the measures of the last validation.

        SIGTERM and SIGINT write a checkpoint and end the training early.

        Args:
            stop_step: Step at which training stops with a checkpoint; None for the last step.

        Raises:
            TrainingError: The loss is not finite, or a checkpoint cannot be written.
        """
        stopping = threading.Event()
        handlers = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                handlers[number] = signal.signal(number, lambda *_: stopping.set())
        try:
            return self._train(stopping, stop_step)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _train(self, stopping: threading.Event, stop_step: int | None) -> dict[str, float]:
        train, data = self.config.train, self.config.data
        stop = min(train.steps, stop_step or train.steps)
        every_minutes = train.validate_minutes
        if self._early.active and self._minutes:
            every_minutes = min(every_minutes, self._minutes / 10)
        measures: dict[str, float] = {}
        share = functools.partial(self.task.batch, share=self._group.share)
        saved_at = validated_at = clock = time.monotonic()
        (stopped,) = self._agree(self._ends(stopping))
        while self.step < stop and self.progress() < 1 and not stopped:
            # the batches of a segment follow from one set of shards
            every = train.rescan_steps
            end = min(stop, (self.step // every + 1) * every) if every else stop
            batches = prefetched(share, self.step, end, data.workers, data.prefetch)
            for inputs, target in batches:
                self._one_step(inputs, target)
                now = time.monotonic()
                self.seconds, clock = self.seconds + now - clock, now
                stopped, to_validate, to_save = self._agree(
                    self._ends(stopping),
                    now - validated_at > 60 * every_minutes,
                    now - saved_at > 60 * train.checkpoint_minutes,
                )
                if to_validate:
                    measures = self._validate()
                    validated_at = time.monotonic()
                if to_save:
                    self.save()
                    saved_at = time.monotonic()
                if to_validate:  # which may end the run
                    (stopped,) = self._agree(self._ends(stopping))
                if stopped or self.progress() >= 1:
                    break
            batches.close()
            if self.step == end and every:
                self._rescan()
        self._flush_losses()
        if not stopping.is_set() and self._validated != self.step:
            measures = self._validate()
        self.save()
        if self._group.is_chief and not stopping.is_set() and self._early.active:
            self._take_best()
        self._agree()  # nobody leaves before all is written
        return measures

    def _ends(self, stopping: threading.Event) -> bool:
        return stopping.is_set() or self._early.is_over

    def _agree(self, *decisions: bool) -> list[bool]:
        """Return the chief's decisions; the seconds become the chief's, on which rates depend."""
        if self._group.is_alone:
            return list(decisions)
        milliseconds, *agreed = self._group.agree([round(1e3 * self.seconds), *decisions])
        self.seconds = milliseconds / 1e3
        return [bool(decision) for decision in agreed]

    def _take_best(self) -> None:
        """Make the best weights the averaged weights of the run."""
        write_atomically(self._folder / AVERAGED, (self._folder / BEST).read_bytes())
        _log.info(
            "the averaged weights are those of step %d: %.4f of the strings",
            self._early.best_step,
            self._early.best,
        )

    def _one_step(self, inputs: Any, target: Any) -> None:
        train = self.config.train
        peak, last = train.learning_rate, train.last_rate
        rate = learning_rate(self.step, self.progress(), peak, train.warmup, last)
        self.model.optimizer.learning_rate = rate
        if keras.distribution.distribution() is None:
            inputs, target = keras.tree.map_structure(keras.ops.convert_to_tensor, (inputs, target))
        # otherwise Keras puts the rows of this process on its devices
        losses = self.model.train_on_batch(inputs, target, return_dict=True)
        self.step += 1
        if not all(math.isfinite(v) for v in losses.values()):
            raise TrainingError(
                f"The loss is not finite at step {self.step}: {losses}. "
                "The last checkpoint is intact; lower train.learning_rate."
            )
        if self._group.is_chief:
            self.average.update(self.step, self.model.weights)
        self._losses.append({**losses, "rate": rate})
        if self.step % train.log_every == 0:
            self._flush_losses()

    def _flush_losses(self) -> None:
        rows, self._losses = self._losses, []
        if not rows:
            return
        means = {k: float(np.mean([r[k] for r in rows])) for k in rows[0]}
        self._record("train.csv", means)
        text = "  ".join(f"{k} {v:.4g}" for k, v in means.items())
        _log.info("step %d  %.0f s  %s", self.step, self.seconds, text)

    def _validate(self) -> dict[str, float]:
        self._flush_losses()
        if not self._group.is_chief:
            return {}
        with self._group.alone():
            measures = self.task.validate(self.parts)
        self._record("validation.csv", measures)
        try:
            draw_curves(
                [self._folder / "train.csv", self._folder / "validation.csv"],
                self._folder / "curves.png",
            )
        except SdkError as error:
            # a run does not stop for a missing picture
            _log.warning("%s", error)
        self._measures, self._validated = measures, self.step
        if self._early.active and self._early.add(self.step, validation_score(measures)):
            with self._group.alone():
                save_weights(self._averaged, self.average.values, self._folder / BEST)
        text = "  ".join(f"{k} {v:.4g}" for k, v in measures.items())
        _log.info("validation at step %d: %s", self.step, text)
        return measures

    def _record(self, name: str, values: dict[str, float]) -> None:
        if not self._group.is_chief:
            return
        path = self._folder / name
        row = {"step": self.step, "seconds": round(self.seconds, 1), **values}
        try:
            fresh = not path.exists()
            with path.open("a", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(row))
                if fresh:
                    writer.writeheader()
                writer.writerow(row)
            self._board(Path(name).stem, values)
        except OSError as error:
            # a run does not stop for a missing row
            _log.warning("Could not write to %s: %s", path, error)

    def _board(self, group: str, values: dict[str, float]) -> None:
        from tensorboard.summary import Writer

        if self._writer is None:
            self._writer = Writer(str(self._folder))
        for key, value in values.items():
            self._writer.add_scalar(f"{group}/{key}", value, self.step)
        self._writer.flush()

    def _rescan(self) -> None:
        training, _ = find_parts(self._data, 0)
        new = [part.name for part in training if part.place not in self._places]
        new = self._group.agree_on(new)
        found = [part for part in training if part.name in new]
        if len(found) < len(new):
            raise TrainingError(
                f"Rank {self._group.share.rank} does not see the new data {new[-1]}. All processes "
                "must see the same folders."
            )
        for part in found:
            try:
                self.task.add(part)
            except (ShardError, TrainingError):
                self.save()  # keeps the training until now
                raise
            self._parts.append(part.name)
            self._places.add(part.place)
        if found:
            _log.info("%d training samples in %d parts", self.task.samples, len(self._parts))

    def save(self) -> None:
        """Write checkpoint, weights and record.

        Raises:
            TrainingError: The disk is full; the earlier checkpoint is intact.
        """
        if not self._group.is_chief:
            return
        optimizer = [keras.ops.convert_to_numpy(v) for v in self.model.optimizer.variables]
        weights = self.model.get_weights()
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "parts": self._parts,
            "held_back": self._held_back,
            "early": self._early.state,
        }
        write_checkpoint(
            self._folder / CHECKPOINT,
            Checkpoint(weights, self.average.values, optimizer, state),
        )
        with self._group.alone():
            save_weights(self._averaged, weights, self._folder / LAST)
            save_weights(self._averaged, self.average.values, self._folder / AVERAGED)
        record = {
            "command": self._command,
            "kind": self.config.model.kind,
            "init_from": Path(self.config.train.init_from).name,
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "samples": self.task.samples,
            "data": self._weights,
            "parts": len(self._parts),
            "parameters": self.model.count_params(),
            "validation": self._measures,
            **({"early": self._early.state} if self._early.active else {}),
            "backend": keras.backend.backend(),
            "processes": self._group.share.world,
            "versions": {"keras": keras.__version__, "python": platform.python_version()},
        }
        write_atomically(
            self._folder / RECORD, json.dumps(record, indent=1, default=float).encode()
        )
        _log.info("checkpoint at step %d", self.step)


def _drop_rows(path: Path, step: int) -> None:
    """Drop the rows of steps after a checkpoint; the resumed run writes them again."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [row for row in lines[1:] if int(row.split(",", 1)[0]) <= step]
    write_atomically(path, "".join([*lines[:1], *kept]).encode())
