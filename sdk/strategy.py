"""Strategies for reading the lines of a photo, from shared features or from pixels.

The strategy is chosen once, when a bundle is opened. A network of the FOTS kind reads a line from
the features that its detector has computed, at almost no cost. A line crop of the photo's own
pixels costs more, and shows more detail of text that is small on the detector's frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sdk.detect.detector import DetectedLine
from sdk.engine.worker_pool import WorkerPool
from sdk.image.load import ImageArray
from sdk.model.settings import FEATURES, PIXELS, DecodeSettings
from sdk.recognize.crops import CropRecognizer
from sdk.recognize.features import FeatureRecognizer
from sdk.recognize.options import ReadOptions
from sdk.retry.candidate import Candidate
from sdk.retry.engine import Choice, RetryEngine
from sdk.retry.sources import PhotoLine

__all__ = ["FromFeatures", "FromPixels", "LineStrategy", "choose_strategy"]


class LineStrategy(Protocol):
    """Reads the lines that were found in a photo."""

    def read(
        self, pixels: ImageArray, lines: Sequence[DetectedLine], options: ReadOptions
    ) -> list[Choice]:
        """Return the choice for each line.

        Args:
            pixels: uint8 RGB (H, W, 3), the photo.
            lines: The lines, highest score first.
            options: Options of decoding.
        """


class FromPixels:
    """Reads every line from the photo's own pixels."""

    def __init__(
        self, crops: CropRecognizer, settings: DecodeSettings, workers: WorkerPool
    ) -> None:
        """Prepare the reading.

        Args:
            crops: Reads line crops.
            settings: Margins, and rules for further readings.
            workers: Worker pool that reads several crops at the same time.
        """
        self._crops = crops
        self._settings = settings
        self._workers = workers

    def read(
        self, pixels: ImageArray, lines: Sequence[DetectedLine], options: ReadOptions
    ) -> list[Choice]:
        """Return the choice for each line, see `LineStrategy`."""
        return self._retry(options).read_page(self._sources(pixels, lines), [None] * len(lines))

    def _sources(self, pixels: ImageArray, lines: Sequence[DetectedLine]) -> list[PhotoLine]:
        return [PhotoLine(pixels, line, self._settings) for line in lines]

    def _retry(self, options: ReadOptions) -> RetryEngine:
        policy = self._settings.retry
        return RetryEngine(self._crops, policy, policy.photo, options, self._workers)


class FromFeatures(FromPixels):
    """Reads lines from shared features, and some lines from pixels.

    Lines that no single detector run shows completely are read from pixels. Small lines and lines
    of low confidence are read from pixels too, unless the settings allow features only.
    """

    def __init__(
        self,
        crops: CropRecognizer,
        features: FeatureRecognizer,
        settings: DecodeSettings,
        workers: WorkerPool,
    ) -> None:
        """Prepare the reading.

        Args:
            crops: Reads line crops.
            features: Reads shared features.
            settings: Margins, the bound for small lines, and rules for further readings.
            workers: Worker pool that reads several crops at the same time.
        """
        super().__init__(crops, settings, workers)
        self._features = features
        self._alone = settings.recognize.source == FEATURES

    def read(
        self, pixels: ImageArray, lines: Sequence[DetectedLine], options: ReadOptions
    ) -> list[Choice]:
        """Return the choice for each line, see `LineStrategy`."""
        least = 0.0 if self._alone else self._settings.recognize.features_min_height_px
        seen = [i for i, x in enumerate(lines) if x.run is not None and x.height_px >= least]
        texts = self._features.read([lines[i] for i in seen], options)
        sources = self._sources(pixels, lines)
        first: list[Candidate | None] = [None] * len(lines)
        for i, text in zip(seen, texts, strict=True):
            # the recognizer reads the detected box without margins
            first[i] = Candidate(lines[i].score, sources[i].box, lines[i].quad, text)
        if not self._alone:
            return self._retry(options).read_page(sources, first)
        unread = [i for i, said in enumerate(first) if said is None]
        asked = options.automaton is not None
        choices = {
            i: Choice(said, said if asked else None)
            for i, said in enumerate(first)
            if said is not None
        }
        read = self._retry(options).read_page([sources[i] for i in unread], [None] * len(unread))
        choices.update(zip(unread, read, strict=True))
        return [choices[i] for i in range(len(lines))]


def choose_strategy(
    crops: CropRecognizer,
    features: FeatureRecognizer | None,
    settings: DecodeSettings,
    workers: WorkerPool,
) -> LineStrategy:
    """Return the strategy that the settings of a bundle select.

    Args:
        crops: Reads line crops.
        features: Reads shared features. None for a bundle without a recognizer graph, which reads
            from pixels.
        settings: Settings of the bundle.
        workers: Worker pool that reads several crops at the same time.
    """
    if features is None or settings.recognize.source == PIXELS:
        return FromPixels(crops, settings, workers)
    return FromFeatures(crops, features, settings, workers)
