"""Training task of photos: the detector alone, or detector and recognizer together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sdk.charset import Charset
from training.config import Config
from training.data.dataset import Part, weight_of
from training.data.photos import PhotoBatches, Photos
from training.data.share import WHOLE, Share
from training.evaluate.measures import evaluate_photos
from training.loop.losses import CtcLoss, geometry_loss, score_loss

__all__ = ["FotsTask"]


class FotsTask:
    """Batches, losses and validation of detector and recognizer."""

    def __init__(
        self,
        config: Config,
        training: Sequence[Part],
        held_back: Sequence[Part],
        kept: Share = WHOLE,
    ) -> None:
        """Read the photos for training and for validation.

        Args:
            config: Configuration of the run.
            training: Parts to train on.
            held_back: Parts to validate on.
            kept: Whose photos to train on are kept in memory.

        Raises:
            TrainingError: The data hold no photo.
        """
        train = config.train
        self.loss_weights: Any = {
            "score": train.score_weight,
            "geometry": train.geometry_weight,
        }
        self.loss: Any = {"score": score_loss, "geometry": geometry_loss}
        if config.model.kind == "fots":
            self.loss_weights["logits"] = train.logits_weight
            self.loss["logits"] = CtcLoss(Charset(config.model.charset))
        self._config = config
        self._photos = Photos(kept)
        for part in training:
            self.add(part)
        self._batches = PhotoBatches(self._photos, config)
        self._held = Photos()
        for part in held_back:
            self._held.add(part)

    @property
    def samples(self) -> int:
        """Number of photos to train on."""
        return self._photos.samples

    def add(self, part: Part) -> None:
        """Add a part of the data."""
        self._photos.add(part, weight_of(part, self._config.data.weights))

    @property
    def batch_sizes(self) -> list[int]:
        """The number of crops of a batch."""
        return [self._config.data.batch]

    def batch(self, step: int, share: Share = WHOLE) -> tuple[Any, Any]:
        """Return a process's share of the inputs and targets of a step."""
        return self._batches.batch(step, share)

    def validate(self, parts: dict[str, keras.Model]) -> dict[str, float]:
        """Return detection and reading measures on held-back photos."""
        count = min(len(self._held), self._config.data.validation)
        photos = (self._held.whole(i) for i in range(count))
        return evaluate_photos(parts, photos, self._config)
