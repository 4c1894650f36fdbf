"""Training task of the line network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from sdk.charset import Charset
from training.config import Config
from training.data.dataset import Part, weight_of
from training.data.labels import LABELS
from training.data.line_images import LineBatches, LineImages, validation_frames
from training.data.share import WHOLE, Share
from training.evaluate.measures import score_lines
from training.evaluate.reading import read_line_images
from training.loop.losses import CtcLoss

__all__ = ["LineTask"]


class LineTask:
    """Batches, loss and validation of the line network."""

    loss_weights: Any = None

    def __init__(
        self,
        config: Config,
        training: Sequence[Part],
        held_back: Sequence[Part],
        kept: Share = WHOLE,
    ) -> None:
        """Read the line images for training and for validation.

        Args:
            config: Configuration of the run.
            training: Parts to train on.
            held_back: Parts to validate on.
            kept: Whose pictures to train on are kept in memory.

        Raises:
            TrainingError: The data hold no usable line image.
        """
        self._charset = Charset(config.model.charset)
        self._weights = config.data.weights
        self.loss: Any = CtcLoss(self._charset)
        widest = config.data.buckets[-1]
        self._images = LineImages(self._charset, widest, kept)
        for part in training:
            self._images.add(part, weight_of(part, self._weights))
        self._batches = LineBatches(self._images, config.data, config.train.seed)
        held: dict[str, LineImages] = {}
        for part in held_back:
            name = f"_{part.folder.name}" if part.file == LABELS else ""
            held.setdefault(name, LineImages(self._charset, widest)).add(part)
        self._groups = {
            name: validation_frames(images, config.data, config.data.validation)
            for name, images in held.items()
            if len(images)  # held-back shards may hold other characters only
        }

    @property
    def samples(self) -> int:
        """Number of line images to train on."""
        return len(self._images)

    def add(self, part: Part) -> None:
        """Add a part of the data that was written after the start."""
        self._images.add(part, weight_of(part, self._weights))
        self._batches.refresh()

    @property
    def batch_sizes(self) -> list[int]:
        """The numbers of line images of all batches that can be drawn."""
        return self._batches.batch_sizes

    def batch(self, step: int, share: Share = WHOLE) -> tuple[Any, Any]:
        """Return a process's share of the inputs and targets of a step."""
        inputs, target = self._batches.batch(step, share)
        return inputs["strip"], target

    def validate(self, parts: dict[str, keras.Model]) -> dict[str, float]:
        """Return string and character accuracy on the held-back line images.

        Each labeled folder has its own measures, with the folder's name as a suffix.
        """
        measures = {}
        for name, groups in self._groups.items():
            want: list[str] = []
            got: list[str] = []
            for pictures, columns, texts in groups:
                want += texts
                got += read_line_images(parts["line"], pictures, columns, self._charset)
            scores = score_lines(want, got)
            measures.update({f"{measure}{name}": value for measure, value in scores.items()})
        return measures
