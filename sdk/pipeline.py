"""`Pipeline`: the steps of reading, assembled from the graphs of a bundle.

photo ── detect ──> boxes ── rectify, recognize, retry ──> texts
"""

from __future__ import annotations

from collections.abc import Mapping

from sdk.detect.detector import DetectedLine, Detector
from sdk.engine import Engine, EnginePool
from sdk.engine.worker_pool import WorkerPool
from sdk.errors import ModelError
from sdk.image.load import ImageArray
from sdk.model.bundle import Bundle
from sdk.model.settings import PIXELS
from sdk.recognize.crops import CropRecognizer
from sdk.recognize.decoder import TextDecoder
from sdk.recognize.features import FeatureRecognizer
from sdk.recognize.options import ReadOptions
from sdk.results import TextLine
from sdk.retry.candidate import to_result
from sdk.retry.cells import cells
from sdk.retry.engine import Choice, RetryEngine
from sdk.retry.sources import CropLine
from sdk.strategy import choose_strategy

__all__ = ["Pipeline"]


class Pipeline:
    """Detects and reads lines with the engines of one bundle.

    Attributes:
        settings: Settings of the bundle.
        charset: Characters that the graphs read.
        detector: Finds lines. None for a bundle that reads single lines only.
        crops: Reads line crops.
        features: Reads shared features. None for a bundle without a recognizer graph.
    """

    def __init__(self, bundle: Bundle, engines: Mapping[str, Engine]) -> None:
        """Assemble the steps.

        Args:
            bundle: The bundle, whose manifest holds the settings.
            engines: One engine for each role of the bundle's variant. `close` closes them.
        """
        manifest = bundle.manifest
        self.settings = settings = manifest.decode
        self.charset = manifest.charset
        self._line_probability = manifest.line_probability
        self._engines = dict(engines)
        widths, odds = settings.recognize.line_widths, settings.recognize.digit_odds
        foreign = settings.recognize.foreign_below

        def decoder(role: str) -> TextDecoder:
            temperature = manifest.temperature.get(role, 1.0)
            return TextDecoder(manifest.charset, temperature, odds, foreign)

        line = engines["line"]
        self.crops = CropRecognizer(line, decoder("line"), widths)
        self.features: FeatureRecognizer | None = None
        if "recognizer" in engines:
            self.features = FeatureRecognizer(engines["recognizer"], decoder("recognizer"), widths)
        self.detector: Detector | None = None
        if "detector" in engines:
            spec = bundle.graph("detector").spec
            keep = self.features is not None and settings.recognize.source != PIXELS
            self.detector = Detector(engines["detector"], spec, settings.detect, keep)
        self._workers = WorkerPool(len(line) if isinstance(line, EnginePool) else 1)
        self._strategy = choose_strategy(self.crops, self.features, settings, self._workers)

    def detect(self, pixels: ImageArray) -> list[DetectedLine]:
        """Return the lines of a photo, highest score first.

        Args:
            pixels: uint8 RGB (H, W, 3).

        Raises:
            ModelError: The bundle has no detector.
        """
        if self.detector is None:
            raise ModelError(
                "The model has no detector: it reads single lines only. "
                "Call read_line(), or use a model with a detector."
            )
        return self.detector.detect(pixels)

    def recognize(
        self, pixels: ImageArray, lines: list[DetectedLine], options: ReadOptions
    ) -> list[TextLine]:
        """Return the texts of lines that were found in a photo, in the same order.

        A line with wide gaps gives a text for each of its cells, see `ReadOptions.divides`.

        Args:
            pixels: uint8 RGB (H, W, 3), the photo.
            lines: Lines from `detect`.
            options: Options of decoding.
        """
        choices = self._strategy.read(pixels, lines, options)
        if options.divides:
            divide = self.settings.recognize.cells
            choices = [Choice(cell) for choice in choices for cell in cells(choice.free, divide)]
        return [self._result(choice, options) for choice in choices]

    def recognize_crop(self, pixels: ImageArray, options: ReadOptions) -> TextLine:
        """Return the text of a picture of one line, uint8 RGB (H, W, 3)."""
        policy = self.settings.retry
        retry = RetryEngine(self.crops, policy, policy.crop, options, self._workers)
        return self._result(retry.read_crop(CropLine(pixels)), options)

    def close(self) -> None:
        """Free the engines."""
        self._workers.close()
        for engine in self._engines.values():
            engine.close()

    def _result(self, choice: Choice, options: ReadOptions) -> TextLine:
        settings = self.settings.recognize
        return to_result(
            choice.free,
            choice.fitted,
            settings.pattern_ratio,
            settings.unknown_below,
            self.charset if options.lattice else None,
            self._line_probability,
        )
