"""Crops of single lines with the errors of manual crops: margins, some upside down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sdk.geometry import reverse, side_lengths
from sdk.rectify.crop import expand_quad
from sdk.rectify.sample import straighten

__all__ = ["crop_lines"]

# Greatest margin around a line, in heights of the line.
_MARGIN = 0.8
_UPSIDE_DOWN = 0.1


def crop_lines(
    image: np.ndarray, labels: Sequence[dict[str, Any]], rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, str]]:
    """Yield crops of a photo's lines with their texts.

    Args:
        image: uint8 RGB (H, W, 3).
        labels: Entries "text", "quad", "ignore" of its record.
        rng: Random generator, for margins up to 0.8 of the line's height and for upside-down crops.
    """
    for label in labels:
        if label.get("ignore") or not label["quad"]:
            continue
        quad = expand_quad(label["quad"], rng.uniform(0, _MARGIN))
        if rng.random() < _UPSIDE_DOWN:
            quad = reverse(quad)
        across, down = (max(8, round(float(side))) for side in side_lengths(quad))
        yield straighten(image, quad, across, down), label["text"]
