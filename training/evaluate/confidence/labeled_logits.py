"""Logits of a bundle's graphs for labeled lines.

Line images go to the line graph. The lines of photos that were detected (IoU with a label at least
0.5) go to the recognizer, and their crops to the line graph: these boxes have the errors of the
boxes in real use.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sdk.charset import Charset
from sdk.engine import open_engine
from sdk.metrics import letters_and_digits, match_quads
from sdk.model.bundle import Bundle
from sdk.pipeline import Pipeline
from sdk.recognize.ctc import decode
from sdk.recognize.options import ReadOptions
from sdk.rectify.crop import expand_quad, rectify, scale_crop
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


class LogitReader:
    """Returns the uncalibrated logits of lines read with the graphs of a bundle."""

    def __init__(self, bundle: Bundle) -> None:
        """Open the graphs.

        Raises:
            SdkError: A graph cannot be run.
        """
        manifest = bundle.manifest
        decode = manifest.decode.changed({"recognize.digit_odds": 1.0})
        plain = replace(bundle, manifest=replace(manifest, decode=decode, temperature={}))
        engines = {role: open_engine(bundle.graph(role)) for role in bundle.roles}
        self._pipeline = Pipeline(plain, engines)
        self.charset = manifest.charset

    def close(self) -> None:
        """Free the graphs."""
        self._pipeline.close()

    def line(self, image: np.ndarray) -> np.ndarray:
        """Return the line graph's logits of a line image, float32 (T, classes).

        They are logarithms of probabilities, which differ from the graph's logits by a constant in
        each column.
        """
        return self._crop(scale_crop(image, self._pipeline.crops.max_width))

    def _crop(self, crop: np.ndarray) -> np.ndarray:
        return self._pipeline.crops.read(crop, ReadOptions()).log_probs

    def photo(
        self, image: np.ndarray, labels: Sequence[dict[str, Any]]
    ) -> dict[str, list[LabeledLogits]]:
        """Return the logits of the detected lines of a photo that have a label, by graph."""
        out: dict[str, list[LabeledLogits]] = {"line": [], "recognizer": []}
        pipeline, margins = self._pipeline, self._pipeline.settings.recognize
        found = pipeline.detect(image) if pipeline.detector else []
        wanted = [x for x in labels if x["quad"]]
        quads = np.array([x["quad"] for x in wanted], np.float32).reshape(-1, 4, 2)
        ignored = [bool(x.get("ignore")) for x in wanted]
        pairs, _ = match_quads([x.quad for x in found], quads, ignored)
        for i, j in pairs:
            area = expand_quad(found[i].quad, margins.crop_margin, margins.crop_side)
            logits = self._crop(rectify(image, area, pipeline.crops.max_width))
            out["line"].append(LabeledLogits(logits, wanted[j]["text"]))
            if found[i].run is not None and pipeline.features is not None:
                [text] = pipeline.features.read([found[i]], ReadOptions())
                out["recognizer"].append(LabeledLogits(text.log_probs, wanted[j]["text"]))
        return out


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
