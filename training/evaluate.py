"""Measures of the networks: lines found, lines read, characters wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sdk.charset import Charset
from sdk.decode import ctc
from sdk.decode.roi_rotate import roi_affine, roi_rotate
from training.config import Config
from training.models.fots import ROI_ROWS
from training.photos import Crop
from training.targets import STRIDE

__all__ = [
    "edit_distance",
    "evaluate_photos",
    "find_maps",
    "normalized",
    "read_quads",
    "read_strips",
    "score_lines",
]


def normalized(text: str) -> str:
    """Return letters and digits only, upper-cased: how readings are compared across engines."""
    return "".join(c for c in text.upper() if c.isalnum())


def edit_distance(a: str, b: str) -> int:
    """Return the Levenshtein distance of two texts."""
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, cb in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (ca != cb))
    return row[-1]


def read_strips(
    model: Any, strips: np.ndarray, columns: np.ndarray, charset: Charset, batch: int = 64
) -> list[str]:
    """Return the texts of strips, decoded greedily.

    Args:
        model: The line network.
        strips: uint8 (N, 32, W, 3).
        columns: int (N,), valid logit columns.
        charset: Characters of the classes.
        batch: Strips at a time.
    """
    texts = []
    for start in range(0, len(strips), batch):
        logits = np.asarray(model.predict_on_batch(strips[start : start + batch]))[:, 0]
        texts += [
            ctc.decode(line[:width], charset).text
            for line, width in zip(logits, columns[start : start + batch], strict=True)
        ]
    return texts


def score_lines(want: Sequence[str], got: Sequence[str]) -> dict[str, float]:
    """Return how well lines were read.

    Returns:
        ``exact``: share of lines read character by character; ``exact_norm``: the same with
        letters and digits only, upper-cased; ``cer_norm``: edits by label characters, likewise.
    """
    pairs = [(normalized(a), normalized(b)) for a, b in zip(want, got, strict=True)]
    edits = sum(edit_distance(a, b) for a, b in pairs)
    count = max(1, len(want))
    return {
        "lines": float(len(want)),
        "exact": sum(a == b for a, b in zip(want, got, strict=True)) / count,
        "exact_norm": sum(a == b for a, b in pairs) / count,
        "cer_norm": edits / max(1, sum(len(a) for a, _ in pairs)),
    }


def find_maps(detector: Any, image: np.ndarray) -> dict[str, np.ndarray]:
    """Return the detector's maps of one picture, each (h, w, c).

    Args:
        detector: The network.
        image: uint8 (H, W, 3); filled up with its edge to multiples of 32 below and right.
    """
    height, width = image.shape[:2]
    framed = np.pad(image, ((0, -height % 32), (0, -width % 32), (0, 0)), "edge")
    maps = detector.predict_on_batch(framed[None])
    return {name: np.asarray(value, np.float32)[0] for name, value in maps.items()}


def read_quads(
    recognizer: Any, features: np.ndarray, quads: np.ndarray, columns: int, charset: Charset
) -> list[str]:
    """Return the texts inside quads, decoded greedily.

    Args:
        recognizer: The network.
        features: float32 (h, w, C), shared features of the picture.
        quads: (n, 4, 2) px of the picture.
        columns: Most columns of a line.
        charset: Characters of the classes.
    """
    if not len(quads):
        return []
    affines, widths = roi_affine(quads / STRIDE, ROI_ROWS, columns)
    strips = roi_rotate(features, affines, widths, ROI_ROWS, columns)
    logits = np.asarray(recognizer.predict_on_batch(strips))[:, 0]
    return [
        ctc.decode(line[:width], charset).text for line, width in zip(logits, widths, strict=True)
    ]


def evaluate_photos(
    parts: dict[str, Any], photos: Iterable[Crop], config: Config
) -> dict[str, float]:
    """Return how well lines were read in their true boxes."""
    charset = Charset(config.model.charset)
    columns = config.model.recognizer.columns
    want: list[str] = []
    got: list[str] = []
    for photo in photos:
        maps = find_maps(parts["detector"], photo.image)
        kept = np.flatnonzero(~photo.ignored)
        want += [photo.texts[i] for i in kept]
        got += read_quads(
            parts["recognizer"], maps["features"], photo.quads[kept], columns, charset
        )
    return score_lines(want, got)
