"""Line images of labeled photos: every legible line, cut out and encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2

from sdk.geometry import side_lengths
from sdk.rectify.crop import CROP_HEIGHT, expand_quad
from sdk.rectify.sample import straighten
from training.data.shards import decode_picture

__all__ = ["line_samples"]

# As loose as the detector's boxes; the augmentation of line images varies it.
_MARGIN = 0.12
_LEAST_HEIGHT_PX = 8.0
"""Lower lines cannot be read even by people; labels of teachers are least reliable there."""


def line_samples(
    data: bytes, record: dict[str, Any], name: str
) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield the samples of a photo's lines, or the sample itself if it is a line image.

    Args:
        data: Encoded picture.
        record: Record of a line image (``text``) or of a photo (``texts``).
        name: Name of the sample for messages.

    Yields:
        Encoded line image and its record. Lines marked ``ignore``, without a place, or below 8 px
        are left out.

    Raises:
        TrainingError: The picture cannot be decoded.
    """
    if "text" in record:
        yield data, record
        return
    photo = decode_picture(data, name)
    for label in record["texts"]:
        if label.get("ignore") or not label["text"] or not label["quad"]:
            continue
        quad = expand_quad(label["quad"], _MARGIN)
        across, down = (float(side) for side in side_lengths(quad))
        if down < _LEAST_HEIGHT_PX:
            continue
        width = max(1, round(across * CROP_HEIGHT / down))
        line = straighten(photo, quad, width, CROP_HEIGHT)
        _, encoded = cv2.imencode(".png", cv2.cvtColor(line, cv2.COLOR_RGB2BGR))
        yield encoded.tobytes(), {"image": record["image"], "text": label["text"]}
