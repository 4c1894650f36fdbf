"""Detection and reading with Keras networks, decoded by the code of the SDK."""

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
    "LineReading",
    "decode_logits",
    "decode_quads",
    "find_lines",
    "find_maps",
    "picture_quad",
    "read_line_images",
    "read_quads",
]

_GRID = 32


@dataclass(frozen=True)
class LineReading:
    """A line that was read.

    Attributes:
        text: The text.
        quad: float32 (4, 2) px of the picture.
        confidence: Confidence of the text, 0 to 1.
        chars: Confidence of each character, 0 to 1.
        probability: Probability that the whole text is right, 0 to 1.
    """

    text: str
    quad: np.ndarray
    confidence: float = 1.0
    chars: tuple[float, ...] = ()
    probability: float = 1.0


def decode_logits(
    logits: Any, columns: Sequence[int] | np.ndarray, charset: Charset
) -> list[ctc.CtcText]:
    """Return the texts in logits, decoded greedily.

    Args:
        logits: (N, 1, T, classes).
        columns: Number of valid columns of each line, at most T.
        charset: Characters of the classes.
    """
    lines = np.asarray(logits, np.float32)[:, 0]
    return [ctc.decode(line[:width], charset) for line, width in zip(lines, columns, strict=True)]


def read_line_images(
    model: Any, images: np.ndarray, columns: Sequence[int], charset: Charset, batch: int = 64
) -> list[str]:
    """Return the texts of line images, decoded greedily.

    Args:
        model: The line network.
        images: uint8 (N, 32, W, 3).
        columns: Number of valid logit columns of each line image.
        charset: Characters of the classes.
        batch: Number of line images in a batch.
    """
    texts = []
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        texts += decode_logits(model.predict_on_batch(images[part]), columns[part], charset)
    return [read.text for read in texts]


def find_maps(detector: Any, image: np.ndarray) -> dict[str, np.ndarray]:
    """Return the detector's maps of one picture, each float32 (h, w, c).

    Args:
        detector: The network.
        image: uint8 (H, W, 3); padded by its edge, at the bottom and right, to multiples of 32.
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
    """Return the texts inside quads, decoded greedily; arguments as in `decode_quads`."""
    return [read.text for read in decode_quads(recognizer, features, quads, columns, charset)]


def decode_quads(
    recognizer: Any, features: np.ndarray, quads: np.ndarray, columns: int, charset: Charset
) -> list[ctc.CtcText]:
    """Return texts and confidences inside quads, decoded greedily.

    Args:
        recognizer: The network.
        features: float32 (h, w, C), shared features of the picture.
        quads: (n, 4, 2) px of the picture.
        columns: Greatest number of columns of a line.
        charset: Characters of the classes.
    """
    if not len(quads):
        return []
    affines, widths = roi_affine(quads / STRIDE, FEATURE_ROWS, columns)
    lines = roi_rotate(features, affines, widths, FEATURE_ROWS, columns)
    return decode_logits(recognizer.predict_on_batch(lines), widths, charset)


def picture_quad(image: np.ndarray) -> np.ndarray:
    """Return the corners of a picture, float32 (4, 2) px."""
    height, width = image.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
