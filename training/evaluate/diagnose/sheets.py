"""Contact sheets of lines that were not read: upright crops with label and reading."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sdk.geometry import map_points, side_lengths
from sdk.rectify.crop import expand_quad
from training.evaluate.diagnose.diagnosis import Diagnosis

__all__ = ["TILE_PX", "tile"]

TILE_PX = 392
"""Width of a tile in px."""

_HEIGHT_PX = 110
_LINE_PX = 56
_MARGIN = 0.7
_WANTED, _JUDGED, _OTHER = (40, 170, 60), (230, 40, 40), (245, 190, 90)


def tile(diagnosis: Diagnosis, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return a picture of a label with its reading.

    The label is drawn in green, its box in red, other boxes in yellow.

    Args:
        diagnosis: Diagnosis of the label.
        image: The whole picture, uint8 RGB (H, W, 3).
        boxes: (n, 4, 2) px, all detected boxes.

    Returns:
        uint8 (h, `TILE_PX`, 3).
    """
    shown = _whole(image) if diagnosis.quad is None else _upright(diagnosis, image, boxes)
    text = [
        f"label    {diagnosis.label}",
        f"reading  {diagnosis.reading}   {diagnosis.confidence:.2f}",
        _facts(diagnosis),
    ]
    if diagnosis.detail:
        text.append(diagnosis.detail)
    font = ImageFont.load_default(13)
    canvas = Image.new("RGB", (TILE_PX, shown.shape[0] + 6 + 16 * len(text)), (255, 255, 255))
    canvas.paste(Image.fromarray(shown), (2, 2))
    draw = ImageDraw.Draw(canvas)
    for row, line in enumerate(text):
        color = (0, 0, 0) if row < 2 else (110, 110, 110)
        draw.text((3, shown.shape[0] + 3 + 16 * row), line, fill=color, font=font)
    draw.rectangle((0, 0, TILE_PX - 1, canvas.height - 1), outline=(200, 200, 200))
    return np.asarray(canvas)


def _facts(diagnosis: Diagnosis) -> str:
    size = f"{diagnosis.height_px:.0f} px"
    if diagnosis.frame_px:
        size += f", {diagnosis.frame_px:.0f} on the frame, IoU {diagnosis.iou:.2f}"
    return f"{diagnosis.picture.rpartition('/')[2][-20:]}  {size}"


def _whole(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    scale = min((TILE_PX - 4) / width, _HEIGHT_PX / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how))


def _upright(diagnosis: Diagnosis, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return a crop around a label, rotated so that the text runs from left to right."""
    quad = diagnosis.quad
    assert quad is not None
    around = expand_quad(quad, _MARGIN)
    across, down = (max(float(side), 1.0) for side in side_lengths(around))
    line = max(float(side_lengths(quad)[1]), 1.0)
    scale = min(_LINE_PX / line, (TILE_PX - 4) / across, 3 * _HEIGHT_PX / down)
    width, height = max(8, round(across * scale)), max(8, round(down * scale))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    # cv2 counts pixel centers from 0, here they are at +0.5
    matrix = cv2.getPerspectiveTransform(around - 0.5, target - 0.5)
    if scale < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
    crop = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(127, 127, 127)
    )
    drawn = [(box, _OTHER, 1) for box in boxes]
    drawn += [] if diagnosis.box is None else [(diagnosis.box, _JUDGED, 2)]
    for corners, color, thickness in [*drawn, (quad, _WANTED, 1)]:
        moved = np.round(map_points(corners, matrix)).astype(np.int32)
        cv2.polylines(crop, [moved[:, None]], True, color, thickness, cv2.LINE_AA)
    return np.asarray(crop)
