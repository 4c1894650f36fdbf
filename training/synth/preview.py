"""Contact sheets of generated samples."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from sdk.files import write_atomically
from sdk.rectify.crop import CROP_HEIGHT
from training.synth.generator import Generator

_WHITE, _GREEN, _RED = (255, 255, 255), (0, 220, 0), (255, 40, 40)


def _line_cell(generator: Generator, index: int, width: int = 480) -> np.ndarray:
    image, text = generator.line(index)
    cell = np.full((CROP_HEIGHT + 18, width, 3), 60, np.uint8)
    cell[:CROP_HEIGHT, : min(width, image.shape[1])] = image[:, :width]
    cv2.putText(
        cell, text, (2, CROP_HEIGHT + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _WHITE, 1, cv2.LINE_AA
    )
    return cell


def _photo_cell(generator: Generator, index: int, size: tuple[int, int]) -> np.ndarray:
    photo = generator.photo(index, size)
    image = np.ascontiguousarray(photo.image)
    for text in photo.texts:
        color = _RED if text.ignore else _GREEN
        cv2.polylines(image, [np.round(text.quad).astype(np.int32)], True, color, 1, cv2.LINE_AA)
        start = tuple(int(v) for v in text.quad[0])
        cv2.circle(image, start, 3, color, -1)
        cv2.putText(image, text.text, start, cv2.FONT_HERSHEY_SIMPLEX, 0.35, color, 1, cv2.LINE_AA)
    return image


def sheet(generator: Generator, kind: str, size: tuple[int, int], path: Path) -> None:
    """Write a sheet of the generator's first samples to ``path`` (PNG or JPEG).

    Raises:
        SdkError: If the file cannot be written.
        ValueError: If the suffix names no picture format.
    """
    if kind == "line":
        cells, columns = [_line_cell(generator, index) for index in range(60)], 3
    else:
        cells, columns = [_photo_cell(generator, index, size) for index in range(9)], 3
    rows = [np.hstack(cells[at : at + columns]) for at in range(0, len(cells), columns)]
    picture = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    try:
        ok, data = cv2.imencode(path.suffix or ".png", picture)
    except cv2.error:
        ok = False
    if not ok:
        raise ValueError(f"--preview {path}: want a name ending in .png or .jpg.")
    write_atomically(path, data.tobytes())
