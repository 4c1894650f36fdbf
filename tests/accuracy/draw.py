"""Draw the pictures that the floor of accuracy is measured on, with the generator of training.

    python -m tests.accuracy.draw

Each picture shows one print: a photo of it, or a crop of one line. Their seeds were chosen by eye,
for text that people read without doubt. The files are kept, not drawn anew by the tests: other
fonts and libraries draw other pixels. The generator's pictures for training are of other seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sdk.files import write_atomically
from training.data.labels import LABELS
from training.synth import background
from training.synth.block import Block, Text, corners, paint
from training.synth.degrade import degrade
from training.synth.fonts import FontLibrary, default_library
from training.synth.scenes import SCENES

HERE = Path(__file__).resolve().parent
PHOTOS, LINES = "drawn", "drawn-lines"
"""Folders of the pictures, and names of the sets."""

_SEED = 20261129
_SIZE = (480, 360)
_PAGE = (480, 640)
_SEVERITY = 0.6
_QUALITY = 80
_BLOCK_PX = 48.0

GROUNDS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "inkjet": background.cardboard,
    "laser": background.foil,
    "stamped": background.metal,
    "display": background.gradient,
    "label": background.cardboard,
    "plate": background.gradient,
    "receipt": background.organic,
    "table": background.gradient,
}
CHOSEN: dict[str, dict[str, tuple[int, ...]]] = {
    PHOTOS: {
        "inkjet": (1, 5, 7, 10, 17),
        "laser": (1, 3, 9, 16),
        "stamped": (5, 10, 14, 16),
        "display": (3, 12, 16, 17),
        "label": (4, 7, 9, 15),
        "plate": (3, 7, 10),
        "receipt": (4, 17),
        "table": (11,),
    },
    LINES: {
        "inkjet": (1, 3, 7, 14, 15),
        "laser": (8, 9, 14),
        "stamped": (3, 7, 10),
        "display": (3, 5, 7, 8, 14),
        "label": (1, 7, 11),
        "plate": (6, 8, 9, 12, 15),
    },
}
"""Seeds by set and kind of print."""


def draw(kind: str, seed: int, fonts: FontLibrary, *, line: bool) -> tuple[np.ndarray, list[Text]]:
    """Return a picture of one print, uint8 RGB (H, W, 3), and the texts in it.

    Args:
        kind: A scene of the generator.
        seed: Number of the picture among those of its kind.
        fonts: Faces to print with.
        line: Whether to show the first line of the print alone.
    """
    rng = np.random.default_rng([_SEED, list(SCENES).index(kind), int(line), seed])
    block = SCENES[kind][0](rng, fonts, _BLOCK_PX)
    if line:
        block = Block(block.lines[:1], block.surfaces)
        matrix, (width, height) = _pose_line(rng, block)
    else:
        width, height = _PAGE if kind in ("receipt", "table") else _SIZE
        matrix = _pose(rng, block, (width, height))
    canvas = GROUNDS[kind](rng, height, width)
    texts = paint(canvas, block, matrix)
    low = min(float(np.linalg.norm(text.quad[3] - text.quad[0])) for text in texts)
    return degrade(canvas, rng, max(low, 8.0), _SEVERITY, scans=0.0), texts


def _pose(rng: np.random.Generator, block: Block, size: tuple[int, int]) -> np.ndarray:
    """Return a homography that shows all of the block, turned and tilted a little."""
    box = corners(*block.box())
    center = box.mean(0)
    scale = rng.uniform(0.75, 0.92) * float(min(np.array(size) / np.ptp(box, axis=0)))
    scale = min(scale, 1.4)
    angle = rng.normal(0, 0.05)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    turn[2, :2] = rng.normal(0, 0.08, 2) / max(size)
    middle = np.array([[1, 0, -center[0]], [0, 1, -center[1]], [0, 0, 1]])
    place = np.eye(3)
    place[:2, 2] = np.array(size) / 2
    return place @ turn @ middle


def _pose_line(rng: np.random.Generator, block: Block) -> tuple[np.ndarray, tuple[int, int]]:
    """Return a homography that shows a line close up, and the picture's size."""
    x0, y0, x1, y1 = block.lines[0].box()
    height = y1 - y0
    left, top, right, bottom = rng.uniform(0.1, 0.5, 4) * height
    scale = rng.uniform(24, 48) / height
    size = round((x1 - x0 + left + right) * scale), round((height + top + bottom) * scale)
    matrix = np.diag([scale, scale, 1.0])
    matrix[:2, 2] = -scale * (x0 - left), -scale * (y0 - top)
    matrix[1, 0] = rng.normal(0, 0.02)
    matrix[1, 2] -= matrix[1, 0] * (x0 + x1) / 2
    return matrix, size


def row(name: str, texts: list[Text], *, line: bool) -> dict[str, Any]:
    """Return the label of a picture."""
    if line:
        return {"image": name, "text": texts[0].text}
    written = [
        {"text": text.text, "quad": np.round(text.quad.astype(float), 1).tolist()} for text in texts
    ]
    return {"image": name, "texts": written, "complete": True}


def main() -> None:
    """Draw all pictures and write their labels."""
    fonts = default_library(None)
    for name, kinds in CHOSEN.items():
        folder, rows = HERE / name, []
        folder.mkdir(exist_ok=True)
        for kind, seeds in kinds.items():
            for seed in seeds:
                picture, texts = draw(kind, seed, fonts, line=name == LINES)
                file = f"{kind}-{seed:02}.jpg"
                _, code = cv2.imencode(
                    ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
                )
                write_atomically(folder / file, code.tobytes())
                rows.append(row(file, texts, line=name == LINES))
        write_atomically(folder / LABELS, "".join(json.dumps(one) + "\n" for one in rows).encode())


if __name__ == "__main__":
    main()
