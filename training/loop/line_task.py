"""Training task of the line network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sdk.charset import Charset
from training.config import Config
from training.data.dataset import Part, weight_of
from training.data.labels import LABELS
from training.data.line_images import StripBatches, Strips, strip_frames
from training.evaluate.measures import score_lines
from training.evaluate.reading import read_strips
from training.loop.losses import CtcLoss

__all__ = ["LineTask"]


class LineTask:
    """Batches, loss and validation of strips."""

    loss_weights: Any = None

    def __init__(self, config: Config, training: Sequence[Part], held_back: Sequence[Part]) -> None:
        """Read the strips of both sides.

        Raises:
            TrainingError: The data hold no usable strip.
        """
        self._charset = Charset(config.model.charset)
        self._weights = config.data.weights
        self.loss: Any = CtcLoss(self._charset)
        widest = config.data.buckets[-1]
        self._strips = Strips(self._charset, widest)
        for part in training:
            self._strips.add(part, weight_of(part, self._weights))
        self._batches = StripBatches(self._strips, config.data, config.train.seed)
        held: dict[str, Strips] = {}
        for part in held_back:
            name = f"_{part.folder.name}" if part.file == LABELS else ""
            held.setdefault(name, Strips(self._charset, widest)).add(part)
        self._groups = {
            name: strip_frames(strips, config.data, config.data.validation)
            for name, strips in held.items()
        }

    @property
    def samples(self) -> int:
        """Number of strips to train on."""
        return len(self._strips)

    def add(self, part: Part) -> None:
        """Take in a shard written since."""
        self._strips.add(part, weight_of(part, self._weights))
        self._batches.refresh()

    def batch(self, step: int) -> tuple[Any, Any]:
        """Return inputs and targets of a step."""
        inputs, target = self._batches.batch(step)
        return inputs["strip"], target

    def validate(self, parts: dict[str, keras.Model]) -> dict[str, float]:
        """Return string and character accuracy on the held-back strips.

        Those of each labeled folder have measures of their own, with its name behind them.
        """
        measures = {}
        for name, groups in self._groups.items():
            want: list[str] = []
            got: list[str] = []
            for pictures, columns, texts in groups:
                want += texts
                got += read_strips(parts["line"], pictures, columns, self._charset)
            scores = score_lines(want, got)
            measures.update({f"{measure}{name}": value for measure, value in scores.items()})
        return measures
