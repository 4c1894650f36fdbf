"""What a reader saw in a picture: every box it found, every line it read, however unsure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from sdk.detect.detector import Finder
from sdk.engine import Engine, open_engine
from sdk.model.bundle import Bundle
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
        self.bound = opened.manifest.decode.min_confidence
        self._reader = BundleReader(bundle, 0.0, threads)
        self._detector: Engine | None = None
        self._finder: Finder | None = None
        if "detector" in opened.roles:
            graph = opened.graph("detector")
            self._detector = open_engine(graph, threads=threads)
            self._finder = Finder(self._detector, graph.spec, opened.manifest.decode)

    def line(self, image: np.ndarray) -> Line:
        """Read a picture of one line, uint8 (H, W, 3)."""
        return self._reader.line(image)

    def look(self, image: np.ndarray) -> Look:
        """Look at a photo, uint8 (H, W, 3)."""
        lines = self._reader.page(image)
        # found once more, because a reading leaves out boxes without text
        found = self._finder.find(image) if self._finder else []
        boxes = np.array([x.quad for x in found], np.float32).reshape(-1, 4, 2)
        views = [x.view.box.scale_y for x in found if x.view is not None]
        return Look(boxes, lines, max(views, default=1.0))

    def close(self) -> None:
        """Free the model."""
        self._reader.close()
        if self._detector is not None:
            self._detector.close()


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
