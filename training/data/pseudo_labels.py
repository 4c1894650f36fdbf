"""Labels of photos from a teacher, kept only where it agrees with itself.

The teacher is PP-OCRv6 small (Apache-2.0) in the package ``rapidocr``; it reads in training only
and is never part of what ships. It looks at each photo twice, at two sizes. A line that both
looks find in the same place with the same text, surely, becomes a label. Whatever else either of
them finds becomes ``ignore``: neither text nor background. Photos in which neither finds anything
are kept as examples of no text.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk.errors import SdkError
from sdk.files import write_atomically
from sdk.geometry import iou
from sdk.image.files import is_picture
from sdk.image.load import load_image
from sdk.metrics import letters_and_digits
from training.data.labels import LABELS, read_labeled
from training.errors import TrainingError

__all__ = ["RapidOcr", "Seen", "Teacher", "agreed", "find_pictures", "teach"]

_log = logging.getLogger("training")

_SAME_PLACE = 0.6
"""Least intersection over union of two boxes of one line."""
_OVERLAP = 0.1
"""Intersection over union from which a box is another look at a line that was kept."""
_SECOND_SCALE = 0.75
"""Size of the second look beside the first: other strokes fall on other cells."""


@dataclass(frozen=True)
class Seen:
    """A line that the teacher sees.

    Attributes:
        text: What it reads.
        quad: float32 (4, 2) px, clockwise from the start.
        confidence: How sure it is, 0 to 1.
    """

    text: str
    quad: NDArray[np.float32]
    confidence: float


class Teacher(Protocol):
    """What labels photos."""

    name: str

    def read(self, image: NDArray[np.uint8]) -> list[Seen]:
        """Return the lines of a photo, uint8 RGB (H, W, 3)."""


class RapidOcr:
    """The package ``rapidocr`` with its default models."""

    def __init__(self) -> None:
        """Load the models.

        Raises:
            TrainingError: The package is not installed.
        """
        try:
            from importlib.metadata import version

            from rapidocr import RapidOCR
        except ImportError as error:
            raise TrainingError(
                'The teacher needs the package rapidocr: pip install "fots-lite[teach]".'
            ) from error
        self._engine = RapidOCR()
        self.name = f"RapidOCR {version('rapidocr')}, default models"

    def read(self, image: NDArray[np.uint8]) -> list[Seen]:
        """Return the lines of a photo, uint8 RGB (H, W, 3)."""
        found = self._engine(np.ascontiguousarray(image[:, :, ::-1]))
        if found.boxes is None:
            return []
        return [
            Seen(str(text), np.asarray(box, np.float32), float(score))
            for text, box, score in zip(found.txts, found.boxes, found.scores, strict=True)
        ]


def agreed(
    first: Sequence[Seen], second: Sequence[Seen], sure: float
) -> tuple[list[Seen], list[Seen]]:
    """Sort what two looks saw into lines on which they agree, and the rest.

    Args:
        first: Lines of the first look.
        second: Lines of the second, in pixels of the first.
        sure: Least confidence of both.

    Returns:
        Lines of the first look that the second saw in the same place with the same letters and
        digits, both surely; and lines of either look that overlap none of those.
    """
    kept = [
        line
        for line in first
        if line.confidence >= sure
        and any(
            other.confidence >= sure
            and letters_and_digits(other.text) == letters_and_digits(line.text)
            and iou(line.quad, other.quad) >= _SAME_PLACE
            for other in second
        )
    ]
    ids = {id(line) for line in kept}
    rest = [
        line
        for line in (*first, *second)
        if id(line) not in ids and all(iou(line.quad, own.quad) < _OVERLAP for own in kept)
    ]
    return kept, rest


def teach(teacher: Teacher, source: Path, folder: Path, sure: float) -> dict[str, int]:
    """Write a labeled folder: the photos of another folder with what the teacher says of them.

    Photos that are in the folder already are not read again.

    Args:
        teacher: Reads the photos.
        source: Folder of pictures, searched with its subfolders.
        folder: Folder to write: ``images/`` and ``labels.jsonl``.
        sure: Least confidence of a label, 0 to 1.

    Returns:
        Numbers of photos, of labels, and of boxes that are neither text nor background.

    Raises:
        TrainingError: There is no picture; the folder cannot be written, lies among the photos, or
            holds other labels.
    """
    pictures = find_pictures(source)
    if folder.resolve().is_relative_to(source.resolve()):
        raise TrainingError(f"{folder} lies among the photos, and would be labeled itself.")
    rows = _rows_there(folder)
    try:
        for path in pictures:
            name = f"images/{path.relative_to(source).as_posix()}"
            if name in rows:
                continue
            try:
                image = load_image(path)
            except SdkError as error:
                _log.warning("left out: %s", error)
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
            rows[name] = {"image": name, **_label(teacher, image, sure)}
            if len(rows) % 20 == 0:
                _log.info("%d of %d photos", len(rows), len(pictures))
                _write(folder, rows)
        _write(folder, rows)
    except OSError as error:
        raise TrainingError(f"Cannot write {folder}: {error}.") from error
    texts = [text for row in rows.values() for text in row["texts"]]
    ignored = sum(text["ignore"] for text in texts)
    return {"photos": len(rows), "labels": len(texts) - ignored, "ignored": ignored}


def find_pictures(source: Path) -> list[Path]:
    """Return the pictures of a folder and its subfolders.

    Raises:
        TrainingError: There is none, or one has a name that JSON cannot hold.
    """
    pictures = sorted(path for path in source.rglob("*") if is_picture(path.name))
    if not pictures:
        raise TrainingError(f"{source} holds no picture that can be read.")
    # what Python puts for bytes of a name that are no UTF-8
    odd = [path for path in pictures if any("\udc80" <= c <= "\udcff" for c in str(path))]
    if odd:
        raise TrainingError(f"The name of {str(odd[0])!a} is no UTF-8. Rename the file.")
    return pictures


def _rows_there(folder: Path) -> dict[str, dict[str, Any]]:
    if not (folder / LABELS).exists():
        return {}
    rows = {record["image"]: record for _, record in read_labeled(folder)}
    if not all("texts" in row for row in rows.values()):
        raise TrainingError(f"{folder / LABELS} labels no photos. Give another --out.")
    return rows


def _write(folder: Path, rows: dict[str, dict[str, Any]]) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows.values())
    write_atomically(folder / LABELS, text.encode())


def _label(teacher: Teacher, image: NDArray[np.uint8], sure: float) -> dict[str, Any]:
    height, width = image.shape[:2]
    smaller = cv2.resize(
        image, None, fx=_SECOND_SCALE, fy=_SECOND_SCALE, interpolation=cv2.INTER_AREA
    )
    scale = np.array([smaller.shape[1] / width, smaller.shape[0] / height], np.float32)
    second = [Seen(line.text, line.quad / scale, line.confidence) for line in teacher.read(smaller)]
    kept, rest = agreed(teacher.read(image), second, sure)
    texts = [
        {"text": line.text, "quad": np.round(line.quad.astype(float), 1).tolist(), "ignore": ignore}
        for lines, ignore in ((kept, False), (rest, True))
        for line in lines
    ]
    return {"width": width, "height": height, "texts": texts, "teacher": teacher.name}
