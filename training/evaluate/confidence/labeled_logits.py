"""Logits of a bundle's graphs for labeled lines.

Line images go to the line graph. The lines of photos that were detected (IoU with a label at least
0.5) go to the recognizer, and their crops to the line graph: these boxes have the errors of the
boxes in real use.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.charset import Charset
from sdk.detect.detector import Finder, FoundLine, View
from sdk.detect.maps import STRIDE
from sdk.engine import Engine, open_engine
from sdk.metrics import letters_and_digits, match_quads
from sdk.model.bundle import Bundle
from sdk.recognize.ctc import decode
from sdk.recognize.recognizer import COLUMN_PX, FEATURE_ROWS, LineReader, ReadOptions
from sdk.recognize.roi_rotate import roi_affine
from sdk.rectify.crop import fit_strip, rectify
from sdk.retry.recheck import strip_area
from training.data.sets import read_samples
from training.evaluate.confidence.reliability import Reliability
from training.evaluate.diagnose.confusion import align_places

__all__ = ["LabeledLogits", "LogitReader", "judged_characters", "read_logits", "reliability"]


@dataclass(frozen=True)
class LabeledLogits:
    """Logits and label of a line.

    Attributes:
        logits: float32 (T, classes), without padding.
        label: Text of the label.
    """

    logits: np.ndarray
    label: str


class _RecordingEngine:
    """An engine that records the logits of its last run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._logits = np.zeros((0, 0), np.float32)

    def run(
        self, inputs: Mapping[str, NDArray[Any]], raw: Collection[str] = ()
    ) -> dict[str, NDArray[Any]]:
        out = self._engine.run(inputs, raw)
        self._logits = out["logits"][0, 0]
        return out

    def take(self, columns: int) -> np.ndarray:
        """Return the logits of the last line without padding, (columns, classes)."""
        return self._logits[:columns].copy()

    def describe(self) -> dict[str, Any]:
        return self._engine.describe()

    def close(self) -> None:
        self._engine.close()


class LogitReader:
    """Returns the logits of lines read with the graphs of a bundle."""

    def __init__(self, bundle: Bundle) -> None:
        """Open the graphs.

        Raises:
            SdkError: A graph cannot be run.
        """
        self.charset = bundle.manifest.charset
        self._settings = bundle.manifest.decode
        engines = {role: open_engine(bundle.graph(role)) for role in bundle.roles}
        self._engines = tuple(engines.values())
        self._recorders: dict[str, _RecordingEngine] = {
            role: _RecordingEngine(engines[role])
            for role in ("line", "recognizer")
            if role in engines
        }
        self._lines = LineReader(
            self._recorders["line"],
            self._recorders.get("recognizer"),
            self.charset,
            self._settings.line_widths,
            {},
        )
        self._finder: Finder | None = None
        if "detector" in engines:
            spec = bundle.graph("detector").spec
            self._finder = Finder(
                engines["detector"], spec, self._settings, self._lines.reads_features
            )

    def close(self) -> None:
        """Free the graphs."""
        for engine in self._engines:
            engine.close()

    def line(self, image: np.ndarray) -> np.ndarray:
        """Return the line graph's logits of a line image, float32 (T, classes)."""
        return self._line(fit_strip(image, self._lines.max_width))

    def _line(self, image: np.ndarray) -> np.ndarray:
        self._lines.read_strip(image, ReadOptions())
        return self._recorders["line"].take(-(-image.shape[1] // COLUMN_PX))

    def photo(
        self, image: np.ndarray, labels: Sequence[dict[str, Any]]
    ) -> dict[str, list[LabeledLogits]]:
        """Return the logits of the detected lines of a photo that have a label, by graph."""
        out: dict[str, list[LabeledLogits]] = {"line": [], "recognizer": []}
        found = [] if self._finder is None else self._finder.find(image)
        wanted = [x for x in labels if x["quad"]]
        quads = np.array([x["quad"] for x in wanted], np.float32).reshape(-1, 4, 2)
        ignored = [bool(x.get("ignore")) for x in wanted]
        pairs, _ = match_quads([x.quad for x in found], quads, ignored)
        for i, j in pairs:
            area = strip_area(found[i].quad, self._settings)
            logits = self._line(rectify(image, area, self._lines.max_width))
            out["line"].append(LabeledLogits(logits, wanted[j]["text"]))
            view = found[i].view
            if view is not None and "recognizer" in self._recorders:
                logits = self._features(found[i], view)
                out["recognizer"].append(LabeledLogits(logits, wanted[j]["text"]))
        return out

    def _features(self, line: FoundLine, view: View) -> np.ndarray:
        self._lines.read_features([line], ReadOptions())
        most = self._settings.line_widths[-1] // COLUMN_PX
        _, widths = roi_affine(view.to_frame(line.quad)[None] / STRIDE, FEATURE_ROWS, most)
        return self._recorders["recognizer"].take(int(widths[0]))


def read_logits(
    reader: LogitReader, folders: Sequence[Path], limit: int | None = None
) -> dict[str, list[LabeledLogits]]:
    """Return the labeled logits by graph.

    Args:
        reader: Returns the logits.
        folders: Shards of line images or of photos.
        limit: Greatest number of pictures of a folder.

    Raises:
        ShardError: A shard is damaged.
    """
    out: dict[str, list[LabeledLogits]] = {"line": [], "recognizer": []}
    for folder in folders:
        for image, record in itertools.islice(read_samples(folder), limit):
            if "text" in record:
                out["line"].append(LabeledLogits(reader.line(image), record["text"]))
                continue
            for graph, lines in reader.photo(image, record["texts"]).items():
                out[graph] += lines
    return {graph: lines for graph, lines in out.items() if lines}


def reliability(
    lines: Sequence[LabeledLogits], charset: Charset, temperature: float
) -> dict[str, Reliability]:
    """Return the reliability of the confidences at a temperature.

    Texts are compared after upper-casing, letters and digits only. Lines without text are left out.

    Args:
        lines: Labeled logits.
        charset: Charset of the classes.
        temperature: Divisor of the logits.

    Returns:
        ``characters``: confidence of each character, and whether the character is right;
        ``lines``: product of the characters' confidences, and whether the whole line is right;
        ``mean``: the same with their geometric mean, which thresholds compare with.
    """
    single: list[tuple[float, bool]] = []
    whole: list[tuple[float, bool]] = []
    mean: list[tuple[float, bool]] = []
    for line in lines:
        text = decode(line.logits, charset, temperature=temperature)
        if not text.text:
            continue
        wanted, read = letters_and_digits(line.label), letters_and_digits(text.text)
        single += judged_characters(wanted, text.text, text.confidences)
        whole.append((math.prod(text.confidences), wanted == read))
        mean.append((text.confidence, wanted == read))
    named = {"characters": single, "lines": whole, "mean": mean}
    return {name: Reliability.of(points) for name, points in named.items()}


def judged_characters(
    label: str, text: str, confidences: Sequence[float], part: bool = False
) -> list[tuple[float, bool]]:
    """Return, for each letter or digit read, its confidence and whether the label has it.

    Args:
        label: Text of the label.
        text: The reading.
        confidences: Confidence of each character of the reading.
        part: Whether the label is only a part of the line; other characters are left out.
    """
    # upper-casing may change the number of characters: ß is SS
    sure = [p for c, p in zip(text, confidences, strict=True) for _ in letters_and_digits(c)]
    places = align_places(letters_and_digits(label), letters_and_digits(text), part)
    return [(sure[j], same) for j, same in places]
