"""Pseudo-labels of photos from a teacher that must agree with itself at two scales.

The teacher is PP-OCRv6 small (Apache-2.0) in the package ``rapidocr``; it serves training only and
is never part of a release. The teacher reads each photo at two scales. A line becomes a label if
both readings have it at the same place, with the same text and with high confidence. All other
lines of either reading become ``ignore``: neither text nor background. Photos without any line stay
in the data as examples of no text.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sdk.errors import SdkError
from sdk.files import write_atomically
from sdk.geometry import iou
from sdk.image.files import pictures_below
from sdk.image.load import load_image
from sdk.metrics import letters_and_digits
from training.data.labels import LABELS, read_labeled
from training.errors import TrainingError

__all__ = [
    "Labels",
    "RapidOcr",
    "Teacher",
    "TeacherLine",
    "agreed",
    "find_pictures",
    "label",
    "teach",
    "write_labels",
]

_log = logging.getLogger("training")

_SAME_PLACE = 0.6
"""Least intersection over union (IoU) of two boxes of the same line."""
_OVERLAP = 0.1
"""IoU from which a box belongs to a line that is already a label."""
_SECOND_SCALE = 0.75
"""Scale of the second reading: strokes fall on other cells of the feature map."""


Labels = dict[str, Any] | str
"""What a teacher says of a photo, as a row without ``"image"``; or why it cannot be read."""


@dataclass(frozen=True)
class TeacherLine:
    """A line that the teacher read.

    Attributes:
        text: The text.
        quad: float32 (4, 2) px, clockwise from the reading-order start.
        confidence: Confidence of the text, 0 to 1.
    """

    text: str
    quad: NDArray[np.float32]
    confidence: float


class Teacher(Protocol):
    """An OCR engine that labels photos."""

    name: str

    def read(self, image: NDArray[np.uint8]) -> list[TeacherLine]:
        """Return the lines of a photo, uint8 RGB (H, W, 3)."""


class RapidOcr:
    """The package ``rapidocr`` with its default models."""

    def __init__(self, threads: int | None = None) -> None:
        """Load the models.

        Args:
            threads: CPU threads; None for all cores.

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
        name = "EngineConfig.onnxruntime.intra_op_num_threads"
        self._engine = RapidOCR(params={name: threads or -1})
        self.name = f"RapidOCR {version('rapidocr')}, default models"

    def read(self, image: NDArray[np.uint8]) -> list[TeacherLine]:
        """Return the lines of a photo, uint8 RGB (H, W, 3)."""
        found = self._engine(np.ascontiguousarray(image[:, :, ::-1]))
        if found.boxes is None:
            return []
        return [
            TeacherLine(str(text), np.asarray(box, np.float32), float(score))
            for text, box, score in zip(found.txts, found.boxes, found.scores, strict=True)
        ]


def agreed(
    first: Sequence[TeacherLine], second: Sequence[TeacherLine], sure: float
) -> tuple[list[TeacherLine], list[TeacherLine]]:
    """Divide the lines of two readings into those on which both agree, and the rest.

    Args:
        first: Lines of the first reading.
        second: Lines of the second reading, in pixels of the first.
        sure: Least confidence in both readings.

    Returns:
        Lines of the first reading that the second has at the same place with the same letters and
        digits, both with enough confidence; and lines of either reading that overlap none of those.
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
    """Write a labeled folder: the photos of another folder with pseudo-labels of the teacher.

    Photos that are already in the folder are not read again.

    Args:
        teacher: The OCR engine.
        source: Folder of pictures, searched recursively.
        folder: Folder to write: ``images/`` and ``labels.jsonl``.
        sure: Least confidence of a label, 0 to 1.

    Returns:
        Numbers of photos, of labels, and of ignored boxes.

    Raises:
        TrainingError: There is no picture; the folder cannot be written, lies inside the folder
            of photos, or holds other labels.
    """
    return write_labels(
        source, folder, lambda paths: ((path, label(teacher, path, sure)) for path in paths)
    )


def write_labels(
    source: Path,
    folder: Path,
    read: Callable[[Sequence[Path]], Iterable[tuple[Path, Labels]]],
) -> dict[str, int]:
    """Write a labeled folder from what is said of photos, in any order; see `teach`.

    Args:
        source: Folder of pictures.
        folder: Folder to write.
        read: Gives the labels of photos, in any order.
    """
    pictures = find_pictures(source)
    if folder.resolve().is_relative_to(source.resolve()):
        raise TrainingError(f"{folder} lies inside the folder of photos. Give another --out.")
    rows = _rows_there(folder)
    names = {path: f"images/{path.relative_to(source).as_posix()}" for path in pictures}
    new = [path for path in pictures if names[path] not in rows]
    known = set(names.values())
    # the order of the photos, whichever is read first
    order = [*(name for name in rows if name not in known), *names.values()]
    try:
        try:
            for path, labels in read(new):
                if isinstance(labels, str):
                    _log.warning("left out: %s", labels)
                    continue
                name = names[path]
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / name)
                rows[name] = {"image": name, **labels}
                if len(rows) % 20 == 0:
                    _log.info("%d of %d photos", len(rows), len(pictures))
                    _write(folder, rows, order)
        finally:  # what was read before an error is kept
            if rows:
                _write(folder, rows, order)
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
    pictures = pictures_below(source)
    if not pictures:
        raise TrainingError(f"{source} holds no picture that can be read.")
    # Python's surrogates for bytes of a name that are not UTF-8
    odd = [path for path in pictures if any("\udc80" <= c <= "\udcff" for c in str(path))]
    if odd:
        raise TrainingError(f"The name of {str(odd[0])!a} is not UTF-8. Rename the file.")
    return pictures


def _rows_there(folder: Path) -> dict[str, dict[str, Any]]:
    if not (folder / LABELS).exists():
        return {}
    rows = {record["image"]: record for _, record in read_labeled(folder)}
    if not all("texts" in row for row in rows.values()):
        raise TrainingError(f"{folder / LABELS} labels no photos. Give another --out.")
    return rows


def _write(folder: Path, rows: Mapping[str, dict[str, Any]], order: Sequence[str]) -> None:
    text = "".join(json.dumps(rows[name]) + "\n" for name in order if name in rows)
    write_atomically(folder / LABELS, text.encode())


def label(teacher: Teacher, path: Path, sure: float) -> Labels:
    """Return what a teacher says of a photo, or why the photo cannot be read."""
    try:
        image = load_image(path)
    except SdkError as error:
        return str(error)
    height, width = image.shape[:2]
    smaller = cv2.resize(
        image, None, fx=_SECOND_SCALE, fy=_SECOND_SCALE, interpolation=cv2.INTER_AREA
    )
    scale = np.array([smaller.shape[1] / width, smaller.shape[0] / height], np.float32)
    second = [
        TeacherLine(line.text, line.quad / scale, line.confidence) for line in teacher.read(smaller)
    ]
    kept, rest = agreed(teacher.read(image), second, sure)
    texts = [
        {"text": line.text, "quad": np.round(line.quad.astype(float), 1).tolist(), "ignore": ignore}
        for lines, ignore in ((kept, False), (rest, True))
        for line in lines
    ]
    return {"width": width, "height": height, "texts": texts, "teacher": teacher.name}
