"""Readers of pictures: an exported bundle, or the networks of a run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sdk import Reader
from sdk.charset import Charset
from sdk.image.letterbox import letterbox
from sdk.recognize import ctc
from sdk.recognize.crops import COLUMN_PX
from sdk.rectify.crop import pad_crops, scale_crop
from training.config import Config
from training.errors import TrainingError
from training.evaluate.reading import (
    LineReading,
    decode_logits,
    decode_quads,
    find_lines,
    find_maps,
    picture_quad,
)

__all__ = ["BundleReader", "NetworkReader", "PictureReader"]

_GRID = 32


class PictureReader(Protocol):
    """A reader of line images and photos."""

    def read_line(self, image: np.ndarray) -> LineReading:
        """Return the reading of a line image, uint8 (H, W, 3)."""

    def read_photo(self, image: np.ndarray) -> list[LineReading]:
        """Return the lines of a photo, uint8 (H, W, 3)."""


class BundleReader:
    """Reads pictures with an exported bundle, as users do."""

    def __init__(
        self,
        bundle: Path | str | Reader,
        min_confidence: float | None = None,
        threads: int | None = None,
    ) -> None:
        """Open the bundle.

        Args:
            bundle: Folder of the bundle, or a reader that has opened it.
            min_confidence: Least confidence of lines in photos, 0 to 1; None takes the bundle's
                own threshold.
            threads: Number of CPU threads; None takes the SDK's default.

        Raises:
            SdkError: The bundle cannot be used.
        """
        opened = bundle if isinstance(bundle, Reader) else Reader(bundle, threads=threads)
        self._reader = opened
        self._min_confidence = min_confidence

    def read_line(self, image: np.ndarray) -> LineReading:
        """Return the reading of a line image, uint8 (H, W, 3)."""
        return _bundle_line(self._reader.read_line(image))

    def read_photo(self, image: np.ndarray) -> list[LineReading]:
        """Return the lines of a photo, uint8 (H, W, 3)."""
        lines = self._reader.read(image, min_confidence=self._min_confidence)
        return [_bundle_line(t) for t in lines]

    def close(self) -> None:
        """Free the model."""
        self._reader.close()


def _bundle_line(read: Any) -> LineReading:
    quad = np.array(read.quad, np.float32)
    chars = tuple(c.confidence for c in read.chars)
    return LineReading(read.text, quad, read.confidence, chars, read.probability)


class NetworkReader:
    """Reads pictures with networks of a run."""

    def __init__(self, models: dict[str, Any], config: Config, size: int = 640) -> None:
        """Create the reader.

        Args:
            models: Networks by name, from `training.runs.folder.load_run`.
            config: Configuration of the run.
            size: Greatest side of a photo in px; larger photos are reduced to this size.
        """
        self._models = models
        self._charset = Charset(config.model.charset)
        self._widest = config.data.buckets[-1]
        self._columns = config.model.recognizer.columns
        self._size = size

    def _model(self, name: str, for_what: str) -> Any:
        if name not in self._models:
            raise TrainingError(
                f"This run has no {name}, so it cannot read {for_what}. It has: "
                f"{', '.join(sorted(self._models))}."
            )
        return self._models[name]

    def read_line(self, image: np.ndarray) -> LineReading:
        """Return the reading of a line image, uint8 (H, W, 3)."""
        line = scale_crop(image, self._widest)
        width = line.shape[1]
        framed = pad_crops([line], -(-width // _GRID) * _GRID)
        model = self._model("line", "single lines")
        logits = model.predict_on_batch(framed)
        return _line(
            decode_logits(logits, [-(-width // COLUMN_PX)], self._charset)[0], picture_quad(image)
        )

    def scale(self, image: np.ndarray) -> float:
        """Return the scale of a photo, uint8 (H, W, 3), before detection; at most 1."""
        return min(1.0, self._size / max(image.shape[:2]))

    def read_photo(self, image: np.ndarray) -> list[LineReading]:
        """Return the lines of a photo, uint8 (H, W, 3)."""
        scale = self.scale(image)
        height, width = (-(-round(s * scale) // _GRID) * _GRID for s in image.shape[:2])
        frame, mapping = letterbox(image, height, width, max_scale=1.0)
        maps = find_maps(self._model("detector", "photos"), frame)
        quads = find_lines(maps).quads
        read = decode_quads(
            self._models["recognizer"], maps["features"], quads, self._columns, self._charset
        )
        return [_line(t, q) for t, q in zip(read, mapping.to_image(quads), strict=True)]


def _line(read: ctc.CtcText, quad: np.ndarray) -> LineReading:
    probability = math.prod(read.confidences)
    return LineReading(read.text, quad, read.confidence, read.confidences, probability)
