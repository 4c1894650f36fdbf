"""Training task of the full network: detection and recognition together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from training.config import Config
from training.evaluate import evaluate_photos
from training.losses import ctc_loss, geometry_loss, score_loss
from training.photos import PhotoBatches, Photos

__all__ = ["FotsTask"]


class FotsTask:
    """Batches, losses and validation of photos."""

    loss: Any = {"score": score_loss, "geometry": geometry_loss, "logits": ctc_loss}  # noqa: RUF012

    def __init__(self, config: Config, training: Sequence[Path], held_back: Sequence[Path]) -> None:
        """Read the photos of both halves.

        Raises:
            TrainingError: The shards hold no photo.
        """
        train = config.train
        self.loss_weights: Any = {
            "score": train.score_weight,
            "geometry": train.geometry_weight,
            "logits": train.logits_weight,
        }
        self._config = config
        self._photos = Photos()
        for path in training:
            self._photos.add(path)
        self._batches = PhotoBatches(self._photos, config)
        self._held = Photos()
        for path in held_back:
            self._held.add(path)

    @property
    def samples(self) -> int:
        """Number of photos to train on."""
        return len(self._photos)

    def add(self, shard: Path) -> None:
        """Take in a shard written since."""
        self._photos.add(shard)

    def batch(self, step: int) -> tuple[Any, Any]:
        """Return inputs and targets of a step."""
        return self._batches.batch(step)

    def validate(self, parts: dict[str, keras.Model]) -> dict[str, float]:
        """Return detection and reading measures on held-back photos."""
        count = min(len(self._held), self._config.data.validation)
        photos = (self._held.whole(i) for i in range(count))
        return evaluate_photos(parts, photos, self._config)
