"""Training task of the line network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from sdk.charset import Charset
from training.config import Config
from training.evaluate import score_lines
from training.losses import ctc_loss
from training.reading import read_strips
from training.strips import StripBatches, Strips, strip_frames

__all__ = ["LineTask"]


class LineTask:
    """Batches, loss and validation of strips."""

    loss: Any = staticmethod(ctc_loss)
    loss_weights: Any = None

    def __init__(self, config: Config, training: Sequence[Path], held_back: Sequence[Path]) -> None:
        """Read the strips of both halves.

        Raises:
            TrainingError: The shards hold no usable strip.
        """
        self._charset = Charset(config.model.charset)
        widest = config.data.buckets[-1]
        self._strips = Strips(self._charset, widest)
        for path in training:
            self._strips.add(path)
        self._batches = StripBatches(self._strips, config.data, config.train.seed)
        held = Strips(self._charset, widest)
        for path in held_back:
            held.add(path)
        self._groups = strip_frames(held, config.data, config.data.validation)

    @property
    def samples(self) -> int:
        """Number of strips to train on."""
        return len(self._strips)

    def add(self, shard: Path) -> None:
        """Take in a shard written since."""
        self._strips.add(shard)
        self._batches.refresh()

    def batch(self, step: int) -> tuple[Any, Any]:
        """Return inputs and targets of a step."""
        inputs, target = self._batches.batch(step)
        return inputs["strip"], target

    def validate(self, parts: dict[str, keras.Model]) -> dict[str, float]:
        """Return string and character accuracy on the held-back strips."""
        want: list[str] = []
        got: list[str] = []
        for pictures, columns, texts in self._groups:
            want += texts
            got += read_strips(parts["line"], pictures, columns, self._charset)
        return score_lines(want, got)
