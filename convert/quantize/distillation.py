"""Distillation of a float network, the teacher, into its QAT model, the student.

Self-distillation (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network") with fixed
ranges of the activations: only weights and biases are trained, by the straight-through estimator of
the fake quantization.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from convert.errors import ConvertError
from convert.quantize.adam import GridAdam
from convert.quantize.batches import Batch, BatchMaker, GraphRunner
from convert.quantize.distillation_loss import distance
from convert.quantize.qat_model import observe, run_named, to_grid
from training.errors import TrainingError
from training.runs.checkpoint import Checkpoint, read_checkpoint, write_checkpoint

__all__ = ["CHECKPOINT", "Distillation", "Schedule", "runner"]

CHECKPOINT = "checkpoint.npz"

_SECONDS_BETWEEN = 15.0  # of checkpoints and of messages
_OBSERVED = 24  # batches for the ranges
_VALIDATION = 12  # batches of a validation
_WARM_UP = 20  # steps until Adam's moments are reliable

Ends = tuple[float, float]


@dataclass(frozen=True)
class Schedule:
    """Number of steps, peak learning rate in grid steps, and seed of the batches."""

    steps: int
    rate: float
    seed: int

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step in grid steps: warm-up, then a cosine down to 0."""
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.rate * min(1.0, (step + 1) / _WARM_UP) * cosine


def runner(model: Any) -> GraphRunner:
    """Return a function that runs an image model, from `build_float_model`, on uint8 pixels."""

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    def run(x: Any) -> dict[str, Any]:
        return run_named(model, _normalized(x))

    return lambda x: {name: value.numpy() for name, value in run(x).items()}


def _normalized(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


class Distillation:
    """Distills a float network into its QAT model.

    Attributes:
        student: The QAT model, with the weights of the last step.
    """

    def __init__(self, name: str, teacher: Any, student: Any, ends: Ends) -> None:
        """Create the distillation.

        Args:
            name: Name of the graph.
            teacher: The float model.
            student: The QAT model, whose ranges are not set yet.
            ends: Range of the input's grid.
        """
        self.name = name
        self.student = student
        self._teacher = teacher
        self._ends = ends
        self._image = teacher.input.shape[-1] == 3
        self._variables = student.trainable_variables
        self._adam = GridAdam(self._variables)
        channels = teacher.input.shape[-1]
        spec = tf.TensorSpec((None, None, None, channels), tf.uint8 if self._image else tf.float32)
        number = tf.TensorSpec((), tf.float32)
        self._step = tf.function(
            self._train_step, autograph=False, input_signature=[spec, spec, number, number]
        )
        self._distance = tf.function(self._measure, autograph=False, input_signature=[spec, spec])

    def train(
        self,
        make: BatchMaker,
        validation: BatchMaker,
        schedule: Schedule,
        checkpoint: Path,
        say: Callable[[str], None],
    ) -> dict[str, Any]:
        """Train the student, from the checkpoint if it belongs to this graph.

        Args:
            make: Makes the training batches.
            validation: Makes the validation batches.
            schedule: Steps, learning rate and seed.
            checkpoint: File of the checkpoint.
            say: Called with messages on the progress.

        Returns:
            Steps, seconds, and the distance from the float network before and after.

        Raises:
            ConvertError: The checkpoint cannot be read or written.
        """
        first = [make(np.random.default_rng((schedule.seed, 1, i)))[0] for i in range(_OBSERVED)]
        observe(self._teacher, self.student, map(self._float_input, first))
        start = self.student.get_weights()
        before = self._validate(validation)
        done, spent = self._resume(checkpoint)
        say(
            f"{self.name}: distance {before:.4f} before tuning"
            + (f", from step {done}" * bool(done))
        )
        begin = told = time.monotonic()
        losses: list[float] = []
        for step in range(done, schedule.steps):
            batch = map(tf.constant, make(np.random.default_rng((schedule.seed, 2, step))))
            losses.append(float(self._step(*batch, schedule.rate_at(step), float(step + 1))))
            now = time.monotonic()
            if now - told > _SECONDS_BETWEEN or step + 1 == schedule.steps:
                told, pause = now, (now - begin) / (step + 1 - done)
                self._keep(checkpoint, step + 1, spent + now - begin)
                say(
                    f"{self.name}: step {step + 1}/{schedule.steps}, "
                    f"distance {np.mean(losses):.4f}, {pause:.2f} s a step, "
                    f"{pause * (schedule.steps - step - 1):.0f} s left"
                )
                losses = []
        after = self._validate(validation)
        say(f"{self.name}: distance {before:.4f} before tuning, {after:.4f} after")
        if not after < before:
            say(f"{self.name}: tuning did not help; the earlier weights are kept")
            self.student.set_weights(start)
        return {
            "steps": schedule.steps,
            "seconds": round(spent + time.monotonic() - begin, 1),
            "distance": {"before": before, "after": min(before, after)},
        }

    def _float_input(self, x: Any) -> Any:
        return _normalized(x) if self._image else x

    def _outputs(self, x: Any, y: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # zero is 128 on the integer graph's grid and 127.5 on the float network's
        y = (tf.cast(y, tf.float32) - 128.0) / 127.5 if self._image else to_grid(y, self._ends)
        return run_named(self._teacher, self._float_input(x)), run_named(self.student, y)

    def _measure(self, x: Any, y: Any) -> Any:
        return distance(*self._outputs(x, y))

    def _train_step(self, x: Any, y: Any, rate: Any, number: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self._measure(x, y)
        self._adam.apply(tape.gradient(loss, self._variables), rate, number)
        return loss

    def _validate(self, validation: BatchMaker) -> float:
        batches: list[Batch] = [validation(np.random.default_rng(i)) for i in range(_VALIDATION)]
        return float(np.mean([float(self._distance(*map(tf.constant, b))) for b in batches]))

    def _resume(self, path: Path) -> tuple[int, float]:
        """Restore a checkpoint; return the completed steps and seconds."""
        if not path.exists():
            return 0, 0.0
        try:
            state = read_checkpoint(path)
        except TrainingError as error:
            raise ConvertError(str(error)) from error
        if state.state["graph"] != self.name:  # of the graph before
            return 0, 0.0
        self.student.set_weights(state.weights)
        for variable, value in zip(self._adam.state, state.optimizer, strict=True):
            variable.assign(value)
        return int(state.state["step"]), float(state.state["seconds"])

    def _keep(self, path: Path, step: int, seconds: float) -> None:
        optimizer = [np.asarray(variable) for variable in self._adam.state]
        state = {"graph": self.name, "step": step, "seconds": seconds}
        try:
            write_checkpoint(path, Checkpoint(self.student.get_weights(), [], optimizer, state))
        except TrainingError as error:
            raise ConvertError(str(error)) from error
