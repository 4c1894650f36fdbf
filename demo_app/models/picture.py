"""Pictures for the screen: scaled pictures, boxes in shares of the picture, and line crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk.draw import line_color
from sdk.geometry import contains, side_lengths
from sdk.rectify.crop import expand_quad
from sdk.results import Char, Reading, TextLine

Pixels = NDArray[np.uint8]
Share = tuple[float, float]
Color = tuple[float, float, float]

MARK_COLORS: dict[str, Color] = {
    "ok": (0.05, 0.66, 0.32),
    "ng": (0.93, 0.11, 0.14),
    "unreadable": (0.98, 0.62, 0.0),
    "": (0.36, 0.66, 0.88),
}
"""Colors of lines over a picture, RGB 0..1, by the line's mark in a verdict."""

# Largest width of a line crop on the screen, in units of its height.
_LONGEST_CROP = 24


@dataclass(frozen=True, slots=True)
class Box:
    """A box around a line in a picture.

    Attributes:
        quad: Four corners (x, y), 0..1 from the picture's top left.
        text: Text of the line.
        color: RGB 0..1, for the confidence or the mark of the line.
        is_strong: Whether the box is emphasized.
    """

    quad: tuple[Share, ...]
    text: str
    color: Color
    is_strong: bool = False


def boxes_of(reading: Reading, marks: Mapping[int, str] | None = None) -> tuple[Box, ...]:
    """Return the boxes of a reading's lines, in their order.

    Args:
        reading: The reading.
        marks: Marks of the lines by index, from `demo_app.models.product`, which define the colors.
            None colors the lines by their confidences.
    """
    size = max(1, reading.width), max(1, reading.height)
    boxes = []
    for index, line in enumerate(reading):
        quad = tuple((x / size[0], y / size[1]) for x, y in line.quad)
        mark = "" if marks is None else marks.get(index, "")
        color = confidence_color(line) if marks is None else MARK_COLORS[mark]
        boxes.append(Box(quad, line.text, color, mark in ("ng", "unreadable")))
    return tuple(boxes)


def confidence_color(line: TextLine | Char) -> Color:
    """Return the color of the confidence of a line or a character, RGB 0..1."""
    red, green, blue = line_color(line)
    return (red / 255, green / 255, blue / 255)


def scaled(picture: Pixels, width: int, height: int) -> Pixels:
    """Return a picture reduced to fit a size in pixels. A smaller picture is unchanged."""
    share = min(width / picture.shape[1], height / picture.shape[0])
    if share >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def crop_line(picture: Pixels, line: TextLine, height: int = 48) -> Pixels:
    """Return the upright crop of a line, uint8 RGB (height, W, 3)."""
    quad = expand_quad(np.asarray(line.quad, np.float32), 0.12)
    wide, high = (float(side) for side in side_lengths(quad))
    width = int(np.clip(round(height * wide / max(high, 1.0)), height, height * _LONGEST_CROP))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(quad, np.float32), target)
    return np.asarray(
        cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def place(
    size: tuple[float, float],
    area: tuple[float, float, float, float],
    zoom: float = 1.0,
    center: Sequence[float] = (0.5, 0.5),
) -> tuple[float, float, float, float]:
    """Return the place of a picture that fits an area, magnified around one of its points.

    Args:
        size: Width and height of the picture.
        area: x, y, width, height on screen, y upwards.
        zoom: Magnification. 1 fits the whole picture.
        center: The point in the middle of the area, x and y from the picture's top left, 0..1.

    Returns:
        x, y, width, height of the whole picture on screen, y upwards.
    """
    x, y, width, height = area
    scale = min(width / max(size[0], 1), height / max(size[1], 1)) * zoom
    wide, high = size[0] * scale, size[1] * scale
    left = x + width / 2 - center[0] * wide
    bottom = y + height / 2 - (1 - center[1]) * high
    return (left, bottom, wide, high)


def hit(boxes: Sequence[Box], point: Share) -> int:
    """Return the index of the first box that contains a point, -1 if none does."""
    for index, box in enumerate(boxes):
        if bool(contains(np.asarray(box.quad, np.float32), np.asarray(point, np.float32))):
            return index
    return -1
