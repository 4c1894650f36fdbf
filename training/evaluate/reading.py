"""Reading with the networks as they are in training, by the decoding code that ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdk.charset import Charset
from sdk.detect.maps import STRIDE, Detections, decode_maps
from sdk.recognize import ctc
from sdk.recognize.features import FEATURE_ROWS
from sdk.recognize.roi_rotate import roi_affine, roi_rotate

__all__ = [
    "Line",
    "decode_logits",
    "decode_quads",
    "find_lines",
    "find_maps",
    "picture_quad",
    "read_quads",
    "read_strips",
]

_GRID = 32


@dataclass(frozen=True)
class Line:
    """A line that was read.

    Attributes:
        text: What it says.
        quad: float32 (4, 2) px of the picture.
        confidence: How sure the network is of the text, 0 to 1.
        chars: The same of each character.
    """

    text: str
    quad: np.ndarray
    confidence: float = 1.0
    chars: tuple[float, ...] = ()


def decode_logits(
    logits: Any, columns: Sequence[int] | np.ndarray, charset: Charset
) -> list[ctc.CtcText]:
    """Return the texts in logits, decoded greedily.

    Args:
        logits: (N, 1, T, classes).
        columns: Valid columns of each, at most T.
        charset: Characters of the classes.
    """
    lines = np.asarray(logits, np.float32)[:, 0]
    return [ctc.decode(line[:width], charset) for line, width in zip(lines, columns, strict=True)]


def read_strips(
    model: Any, strips: np.ndarray, columns: Sequence[int], charset: Charset, batch: int = 64
) -> list[str]:
    """Return the texts of strips, decoded greedily.

    Args:
        model: The line network.
        strips: uint8 (N, 32, W, 3).
        columns: Valid logit columns of each.
        charset: Characters of the classes.
        batch: Strips at a time.
    """
    texts = []
    for start in range(0, len(strips), batch):
        part = slice(start, start + batch)
        texts += decode_logits(model.predict_on_batch(strips[part]), columns[part], charset)
    return [read.text for read in texts]


def find_maps(detector: Any, image: np.ndarray) -> dict[str, np.ndarray]:
    """Return the detector's maps of one picture, each float32 (h, w, c).

    Args:
        detector: The network.
        image: uint8 (H, W, 3); filled up with its edge to multiples of 32 below and right.
    """
    height, width = image.shape[:2]
    framed = np.pad(image, ((0, -height % _GRID), (0, -width % _GRID), (0, 0)), "edge")
    maps = detector.predict_on_batch(framed[None])
    return {name: np.asarray(value, np.float32)[0] for name, value in maps.items()}


def find_lines(maps: dict[str, np.ndarray], threshold: float = 0.5) -> Detections:
    """Return the lines in the maps of one picture."""
    return decode_maps(
        maps["score"], maps["vertical"], maps["horizontal"], maps["angle"], threshold=threshold
    )


def read_quads(
    recognizer: Any, features: np.ndarray, quads: np.ndarray, columns: int, charset: Charset
) -> list[str]:
    """Return the texts inside quads, decoded greedily; arguments as for `decode_quads`."""
    return [read.text for read in decode_quads(recognizer, features, quads, columns, charset)]


def decode_quads(
    recognizer: Any, features: np.ndarray, quads: np.ndarray, columns: int, charset: Charset
) -> list[ctc.CtcText]:
    """Return what is read inside quads, decoded greedily.

    Args:
        recognizer: The network.
        features: float32 (h, w, C), shared features of the picture.
        quads: (n, 4, 2) px of the picture.
        columns: Most columns of a line.
        charset: Characters of the classes.
    """
    if not len(quads):
        return []
    affines, widths = roi_affine(quads / STRIDE, FEATURE_ROWS, columns)
    strips = roi_rotate(features, affines, widths, FEATURE_ROWS, columns)
    return decode_logits(recognizer.predict_on_batch(strips), widths, charset)


def picture_quad(image: np.ndarray) -> np.ndarray:
    """Return the quad that is a whole picture, float32 (4, 2) px."""
    height, width = image.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
