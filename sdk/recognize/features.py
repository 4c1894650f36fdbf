"""Read lines from the detector's shared features with the recognizer graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdk.detect.detector import DetectedLine, DetectorRun
from sdk.detect.maps import STRIDE
from sdk.engine import Engine
from sdk.recognize.crops import COLUMN_PX
from sdk.recognize.decoder import LineText, TextDecoder
from sdk.recognize.options import ReadOptions
from sdk.recognize.roi_rotate import roi_affine, roi_rotate

__all__ = ["FEATURE_ROWS", "FeatureRecognizer"]

FEATURE_ROWS = 8
"""Rows of a line that RoIRotate samples from the features."""


class FeatureRecognizer:
    """Reads lines from shared features with the recognizer graph."""

    def __init__(self, engine: Engine, decoder: TextDecoder, widths: Sequence[int]) -> None:
        """Prepare the reading.

        Args:
            engine: The recognizer graph, from rotated feature regions to logits.
            decoder: Decodes the logits.
            widths: Widths of line crops in pixels, ascending. Regions are padded to the same
                numbers of columns.
        """
        self._engine = engine
        self._decoder = decoder
        self._columns = tuple(width // COLUMN_PX for width in widths)

    def read(self, lines: Sequence[DetectedLine], options: ReadOptions) -> list[LineText]:
        """Return the texts of lines, each from the detector run that found the line.

        Args:
            lines: Lines with a run that kept its features.
            options: Options of decoding.
        """
        texts: dict[int, LineText] = {}
        runs = {id(line.run): line.run for line in lines if line.run is not None}
        for key, run in runs.items():
            members = [i for i, line in enumerate(lines) if id(line.run) == key]
            read = self._read_run(run, [lines[i] for i in members], options)
            texts.update(zip(members, read, strict=True))
        return [texts[i] for i in range(len(lines))]

    def _read_run(
        self, run: DetectorRun, lines: Sequence[DetectedLine], options: ReadOptions
    ) -> list[LineText]:
        assert run.features is not None
        quads = run.to_frame(np.stack([line.quad for line in lines])) / STRIDE
        affines, widths = roi_affine(quads, FEATURE_ROWS, self._columns[-1])
        buckets = np.searchsorted(self._columns, widths)
        texts: dict[int, LineText] = {}
        for bucket in np.unique(buckets):
            members = np.flatnonzero(buckets == bucket)
            columns = self._columns[bucket]
            regions = roi_rotate(
                run.features, affines[members], widths[members], FEATURE_ROWS, columns, run.step
            )
            for i, region in zip(members.tolist(), regions, strict=True):
                logits = self._engine.run({"features": region[None]})["logits"]
                texts[i] = self._decoder.decode(logits[0, 0, : int(widths[i])], options)
        return [texts[i] for i in range(len(lines))]
