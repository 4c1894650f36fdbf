"""Unfiltered readings: every detected box and every line, at any confidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk import Reader
from sdk.engine import open_engine
from sdk.model.bundle import Bundle
from sdk.pipeline import Pipeline
from training.evaluate.readers import BundleReader, NetworkReader
from training.evaluate.reading import LineReading

__all__ = ["RawBundleReader", "RawNetworkReader", "RawReader", "RawReading"]


@dataclass(frozen=True)
class RawReading:
    """The unfiltered reading of a photo.

    Attributes:
        boxes: float32 (n, 4, 2) px, every detected line, including lines without text.
        lines: Lines read, in reading order, at any confidence.
        scale: Pixels of the detector's frame per pixel of the photo, at the largest scale.
    """

    boxes: np.ndarray
    lines: list[LineReading]
    scale: float


class RawReader(Protocol):
    """Reads pictures without a threshold on the confidence.

    Attributes:
        bound: Least confidence of lines that the reader itself returns.
    """

    bound: float

    def read_line(self, image: np.ndarray) -> LineReading:
        """Return the reading of a line image, uint8 (H, W, 3)."""

    def read_photo(self, image: np.ndarray) -> RawReading:
        """Return the unfiltered reading of a photo, uint8 (H, W, 3)."""


class RawBundleReader:
    """Reads with an exported bundle."""

    def __init__(self, bundle: Path | str | Bundle, threads: int | None = None) -> None:
        """Open the bundle.

        Args:
            bundle: Folder of the bundle, or a bundle that is open.
            threads: Number of CPU threads; None takes the SDK's default.

        Raises:
            SdkError: The bundle cannot be used.
        """
        opened = bundle if isinstance(bundle, Bundle) else Bundle.open(bundle)
        self.bound = opened.manifest.decode.recognize.min_confidence
        engines = {role: open_engine(opened.graph(role), threads=threads) for role in opened.roles}
        self._reader = BundleReader(Reader.of_parts(opened, engines), 0.0)
        self._pipeline = Pipeline(opened, engines)

    def read_line(self, image: np.ndarray) -> LineReading:
        """Return the reading of a line image, uint8 (H, W, 3)."""
        return self._reader.read_line(image)

    def read_photo(self, image: np.ndarray) -> RawReading:
        """Return the unfiltered reading of a photo, uint8 (H, W, 3)."""
        lines = self._reader.read_photo(image)
        # a second detection, because a reading has no boxes without text
        found = self._pipeline.detect(image) if self._pipeline.detector else []
        boxes = np.array([x.quad for x in found], np.float32).reshape(-1, 4, 2)
        scales = [x.run.box.scale_y for x in found if x.run is not None]
        return RawReading(boxes, lines, max(scales, default=1.0))

    def close(self) -> None:
        """Free the model."""
        self._reader.close()
        self._pipeline.close()


class RawNetworkReader:
    """Reads with the networks of a run."""

    bound = 0.0

    def __init__(self, reader: NetworkReader) -> None:
        """Create the reader from one with thresholds."""
        self._reader = reader

    def read_line(self, image: np.ndarray) -> LineReading:
        """Return the reading of a line image, uint8 (H, W, 3)."""
        return self._reader.read_line(image)

    def read_photo(self, image: np.ndarray) -> RawReading:
        """Return the unfiltered reading of a photo, uint8 (H, W, 3)."""
        found = self._reader.read_photo(image)
        boxes = np.array([x.quad for x in found], np.float32).reshape(-1, 4, 2)
        return RawReading(boxes, [x for x in found if x.text.strip()], self._reader.scale(image))
