"""What a reader saw in a picture: every box it found, every line it read, however unsure."""

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
from training.evaluate.reading import Line

__all__ = ["BundleLooker", "Look", "Looker", "NetworkLooker"]


@dataclass(frozen=True)
class Look:
    """What was seen in a photo.

    Attributes:
        boxes: float32 (n, 4, 2) px, every line found, also those in which nothing was read.
        lines: Lines read, in reading order, whatever their confidence.
        scale: Pixels of the detector's frame per pixel of the photo, where it looked closest.
    """

    boxes: np.ndarray
    lines: list[Line]
    scale: float


class Looker(Protocol):
    """Reads pictures without leaving out what it is unsure of.

    Attributes:
        bound: Lines of photos less sure than this are left out by the reader itself.
    """

    bound: float

    def line(self, image: np.ndarray) -> Line:
        """Read a picture of one line, uint8 (H, W, 3)."""

    def look(self, image: np.ndarray) -> Look:
        """Look at a photo, uint8 (H, W, 3)."""


class BundleLooker:
    """Reads with an exported bundle, as users do."""

    def __init__(self, bundle: Path | str, threads: int | None = None) -> None:
        """Open the bundle.

        Args:
            bundle: Its folder.
            threads: CPU threads; None takes the SDK's default.

        Raises:
            SdkError: The bundle cannot be used.
        """
        opened = Bundle.open(bundle)
        self.bound = opened.manifest.decode.recognize.min_confidence
        engines = {role: open_engine(opened.graph(role), threads=threads) for role in opened.roles}
        self._reader = BundleReader(Reader.of_parts(opened, engines), 0.0)
        self._pipeline = Pipeline(opened, engines)

    def line(self, image: np.ndarray) -> Line:
        """Read a picture of one line, uint8 (H, W, 3)."""
        return self._reader.line(image)

    def look(self, image: np.ndarray) -> Look:
        """Look at a photo, uint8 (H, W, 3)."""
        lines = self._reader.page(image)
        # found once more, because a reading leaves out boxes without text
        found = self._pipeline.detect(image) if self._pipeline.detector else []
        boxes = np.array([x.quad for x in found], np.float32).reshape(-1, 4, 2)
        scales = [x.run.box.scale_y for x in found if x.run is not None]
        return Look(boxes, lines, max(scales, default=1.0))

    def close(self) -> None:
        """Free the model."""
        self._reader.close()
        self._pipeline.close()


class NetworkLooker:
    """Reads with the networks of a run."""

    bound = 0.0

    def __init__(self, reader: NetworkReader) -> None:
        """Remember what to read with."""
        self._reader = reader

    def line(self, image: np.ndarray) -> Line:
        """Read a picture of one line, uint8 (H, W, 3)."""
        return self._reader.line(image)

    def look(self, image: np.ndarray) -> Look:
        """Look at a photo, uint8 (H, W, 3)."""
        found = self._reader.page(image)
        boxes = np.array([x.quad for x in found], np.float32).reshape(-1, 4, 2)
        return Look(boxes, [x for x in found if x.text.strip()], self._reader.scale(image))
