"""One quantized network learns to give what the float one gives.

Self-distillation (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network") with fixed
ranges of the activations: only weights and biases move, through the straight-through estimator of
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
from convert.quantize.batches import Batch, Maker, Run
from convert.quantize.distillation_loss import distance
from convert.quantize.grid_adam import GridAdam
from convert.quantize.qat_model import observe, run_named, to_grid
from training.errors import TrainingError
from training.runs.checkpoint import Checkpoint, read_checkpoint, write_checkpoint

__all__ = ["CHECKPOINT", "Lesson", "Pace", "runner"]

CHECKPOINT = "checkpoint.npz"

_SECONDS_BETWEEN = 15.0  # checkpoints, and lines of progress
_OBSERVED = 24  # batches that the ranges are taken from
_EXAM = 12  # batches that the distance is measured on
_WARM_UP = 20  # steps until the moments mean something

Ends = tuple[float, float]


@dataclass(frozen=True)
class Pace:
    """Steps, grid steps that a weight moves in the fastest of them, and seed of the batches."""

    steps: int
    rate: float
    seed: int

    def rate_at(self, step: int) -> float:
        """Return the grid steps that a weight moves in a step: risen soon, then falling to 0."""
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.rate * min(1.0, (step + 1) / _WARM_UP) * cosine


def runner(twin: Any) -> Run:
    """Return a function that runs a twin with pictures as input on uint8 pixels."""

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    def run(x: Any) -> dict[str, Any]:
        return run_named(twin, _normalized(x))

    return lambda x: {name: value.numpy() for name, value in run(x).items()}


def _normalized(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


class Lesson:
    """A float network and its quantized twin.

    Attributes:
        pupil: The quantized twin; its weights are those of the last step.
    """

    def __init__(self, name: str, teacher: Any, pupil: Any, ends: Ends) -> None:
        """Take the two.

        Args:
            name: Of the graph.
            teacher: The float twin.
            pupil: The quantized one, its ranges not set yet.
            ends: Range of the input's grid.
        """
        self.name = name
        self.pupil = pupil
        self._teacher = teacher
        self._ends = ends
        self._image = teacher.input.shape[-1] == 3
        self._variables = pupil.trainable_variables
        self._adam = GridAdam(self._variables)
        channels = teacher.input.shape[-1]
        spec = tf.TensorSpec((None, None, None, channels), tf.uint8 if self._image else tf.float32)
        number = tf.TensorSpec((), tf.float32)
        self._step = tf.function(
            self._learn, autograph=False, input_signature=[spec, spec, number, number]
        )
        self._distance = tf.function(self._measure, autograph=False, input_signature=[spec, spec])

    def learn(
        self,
        make: Maker,
        exam: Maker,
        pace: Pace,
        checkpoint: Path,
        say: Callable[[str], None],
    ) -> dict[str, Any]:
        """Tune the quantized twin, from the checkpoint on if it is this graph's.

        Args:
            make: Makes the batches to learn from.
            exam: Makes the batches to measure on.
            pace: How long and how fast.
            checkpoint: File to keep the state in.
            say: Told how it goes.

        Returns:
            Steps, seconds, and the distance from the float network before and after.

        Raises:
            ConvertError: The checkpoint cannot be read or written.
        """
        first = [make(np.random.default_rng((pace.seed, 1, i)))[0] for i in range(_OBSERVED)]
        observe(self._teacher, self.pupil, map(self._float_input, first))
        start = self.pupil.get_weights()
        before = self._examine(exam)
        done, spent = self._resume(checkpoint)
        say(
            f"{self.name}: distance {before:.4f} before tuning"
            + (f", from step {done}" * bool(done))
        )
        begin = told = time.monotonic()
        losses: list[float] = []
        for step in range(done, pace.steps):
            batch = map(tf.constant, make(np.random.default_rng((pace.seed, 2, step))))
            losses.append(float(self._step(*batch, pace.rate_at(step), float(step + 1))))
            now = time.monotonic()
            if now - told > _SECONDS_BETWEEN or step + 1 == pace.steps:
                told, pause = now, (now - begin) / (step + 1 - done)
                self._keep(checkpoint, step + 1, spent + now - begin)
                say(
                    f"{self.name}: step {step + 1}/{pace.steps}, distance {np.mean(losses):.4f}, "
                    f"{pause:.2f} s a step, {pause * (pace.steps - step - 1):.0f} s left"
                )
                losses = []
        after = self._examine(exam)
        say(f"{self.name}: distance {before:.4f} before tuning, {after:.4f} after")
        if not after < before:
            say(f"{self.name}: tuning did not help; the weights from before are kept")
            self.pupil.set_weights(start)
        return {
            "steps": pace.steps,
            "seconds": round(spent + time.monotonic() - begin, 1),
            "distance": {"before": before, "after": min(before, after)},
        }

    def _float_input(self, x: Any) -> Any:
        return _normalized(x) if self._image else x

    def _outputs(self, x: Any, y: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        # 128 is zero on the integer graph's grid, 127.5 is on the float network's
        y = (tf.cast(y, tf.float32) - 128.0) / 127.5 if self._image else to_grid(y, self._ends)
        return run_named(self._teacher, self._float_input(x)), run_named(self.pupil, y)

    def _measure(self, x: Any, y: Any) -> Any:
        return distance(*self._outputs(x, y))

    def _learn(self, x: Any, y: Any, rate: Any, number: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self._measure(x, y)
        self._adam.apply(tape.gradient(loss, self._variables), rate, number)
        return loss

    def _examine(self, exam: Maker) -> float:
        batches: list[Batch] = [exam(np.random.default_rng(i)) for i in range(_EXAM)]
        return float(np.mean([float(self._distance(*map(tf.constant, b))) for b in batches]))

    def _resume(self, path: Path) -> tuple[int, float]:
        """Take the state of a checkpoint; returns the steps and seconds done."""
        if not path.exists():
            return 0, 0.0
        try:
            state = read_checkpoint(path)
        except TrainingError as error:
            raise ConvertError(str(error)) from error
        if state.state["graph"] != self.name:  # left by the graph before
            return 0, 0.0
        self.pupil.set_weights(state.weights)
        for variable, value in zip(self._adam.state, state.optimizer, strict=True):
            variable.assign(value)
        return int(state.state["step"]), float(state.state["seconds"])

    def _keep(self, path: Path, step: int, seconds: float) -> None:
        optimizer = [np.asarray(variable) for variable in self._adam.state]
        state = {"graph": self.name, "step": step, "seconds": seconds}
        try:
            write_checkpoint(path, Checkpoint(self.pupil.get_weights(), [], optimizer, state))
        except TrainingError as error:
            raise ConvertError(str(error)) from error
