"""Diagnosis of each label: read, or not read because of one stage of the reader.

Texts are compared after upper-casing, letters and digits only. A label of a photo counts as read if
it occurs in a line, or, with more than three characters, in the text of all lines joined: some sets
label words, others lines, and many label only part of the text. The diagnosis of a label that was
not read is the first stage of `STAGES` that explains the error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdk.geometry import area, iou_matrix, side_lengths
from sdk.metrics import letters_and_digits
from training.evaluate.diagnose.boxes import fault, nearest_box, shared_areas
from training.evaluate.diagnose.confusion import align_texts
from training.evaluate.diagnose.raw_reading import RawReading
from training.evaluate.reading import LineReading

__all__ = [
    "READ",
    "SMALL_PX",
    "STAGES",
    "Diagnosis",
    "diagnose_line",
    "diagnose_photo",
    "unlabeled",
]

READ = "read"

STAGES = {
    "rejected": "read right, but below min_confidence",
    "order": "all words were read, but separately or in another order",
    "too small": "less height than the networks can read",
    "not detected": "no box on the label",
    "box off": "a box that truncates the label, is far too long, or has another direction",
    "nothing read": "a good box without text",
    "wrong characters": "a good box with another text",
}
"""The stages that can cause an error, in the order of the diagnosis."""

SMALL_PX = 8.0
"""Lines of less height are too small: they have two rows of stride-4 features."""


@dataclass(frozen=True)
class Diagnosis:
    """Diagnosis of a label.

    Attributes:
        picture: Name of the picture.
        label: Text of the label.
        reading: Text read at the label's place.
        confidence: Confidence of the reading, 0 to 1.
        stage: `READ` or one of `STAGES`.
        detail: Detail of the error, in a few words.
        quad: float32 (4, 2) px of the label; None for line images and labels without a place.
        height_px: Height of the label in the picture.
        frame_px: Height of the label on the detector's frame; 0 for line images.
        box: float32 (4, 2) px, the box that belongs to the label; None if there is none.
        iou: IoU of label and box, 0 to 1.
        part: Whether the label is only a part of the line that was read.
        chars: Confidences of the reading's characters.
        probability: Probability that the whole reading is right, 0 to 1.
    """

    picture: str
    label: str
    reading: str
    confidence: float
    stage: str
    detail: str = ""
    quad: np.ndarray | None = None
    height_px: float = 0.0
    frame_px: float = 0.0
    box: np.ndarray | None = None
    iou: float = 0.0
    part: bool = False
    chars: tuple[float, ...] = ()
    probability: float = 0.0


def diagnose_line(picture: str, label: str, read: LineReading, height_px: float) -> Diagnosis:
    """Return the diagnosis of a line image.

    Args:
        picture: Name of the picture.
        label: Text of the label.
        read: The reading.
        height_px: Smaller side of the picture.
    """
    wanted, got = letters_and_digits(label), letters_and_digits(read.text)
    detail = ""
    if wanted == got:
        stage = READ
    elif _words(label) == _words(read.text) != []:
        stage = "order"
    elif height_px < SMALL_PX:
        stage, detail = "too small", f"{height_px:.0f} px"
    elif not got:
        stage = "nothing read"
    else:
        stage = "wrong characters"
        detail = "part missing" if got in wanted else "text added" if wanted in got else ""
    return Diagnosis(
        picture,
        label,
        read.text,
        read.confidence,
        stage,
        detail,
        height_px=height_px,
        chars=read.chars,
        probability=read.probability,
    )


def _words(text: str) -> list[str]:
    return sorted(word for word in map(letters_and_digits, text.split()) if word)


def diagnose_photo(
    picture: str, labels: Sequence[dict[str, Any]], raw: RawReading, bound: float
) -> list[Diagnosis]:
    """Return the diagnosis of each label of a photo that is not ignored.

    Args:
        picture: Name of the picture.
        labels: Entries "text", "quad", "ignore" of the photo's record.
        raw: The unfiltered reading.
        bound: Least confidence of lines that the reader returns.
    """
    photo = _PhotoDiagnosis(raw, bound, [label["quad"] for label in labels if label["quad"]])
    return [
        photo.diagnose(picture, label["text"], label["quad"])
        for label in labels
        if not label.get("ignore") and letters_and_digits(label["text"])
    ]


def unlabeled(labels: Sequence[dict[str, Any]], raw: RawReading, bound: float) -> int:
    """Return the number of lines outside all labels, for photos whose text is all labeled.

    Args:
        labels: Entries "text", "quad", "ignore" of the photo's record.
        raw: The unfiltered reading.
        bound: Least confidence of lines that the reader returns.
    """
    quads = np.array([x["quad"] for x in labels if x["quad"]], np.float32).reshape(-1, 4, 2)
    shown = [line.quad for line in raw.lines if line.confidence >= bound]
    boxes = np.array(shown, np.float32).reshape(-1, 4, 2)
    if not len(quads):
        return len(boxes)
    own = shared_areas(boxes, quads) / np.maximum(np.abs(area(boxes)), 1e-6)[:, None]
    return int((own.sum(1) < 0.3).sum())


class _PhotoDiagnosis:
    """Diagnoses the labels of one photo."""

    def __init__(self, raw: RawReading, bound: float, labels: Sequence[Any]) -> None:
        self._raw = raw
        self._texts = [letters_and_digits(line.text) for line in raw.lines]
        self._kept = [line.confidence >= bound for line in raw.lines]
        shown = [t for t, kept in zip(self._texts, self._kept, strict=True) if kept]
        self._shown, self._joined = shown, "".join(shown)
        quads = [line.quad for line in raw.lines]
        self._lines = np.array(quads, np.float32).reshape(-1, 4, 2)
        self._labels = np.array(labels, np.float32).reshape(-1, 4, 2)

    def diagnose(self, picture: str, label: str, corners: Any) -> Diagnosis:
        wanted = letters_and_digits(label)
        quad = np.array(corners, np.float32) if corners else None
        box, overlap, cover = None, 0.0, 0.0
        if quad is not None and len(self._raw.boxes):
            box, overlap, cover = nearest_box(self._raw.boxes, quad)
        line = self._line_at(wanted, quad, box)
        height = 0.0 if quad is None else float(side_lengths(quad)[1])
        frame = height * self._raw.scale
        stage, detail = self._stage(wanted, label)
        if not stage and quad is None:
            stage = "not detected"
        if not stage and quad is not None:
            # a box of a nearly right line may have any length
            labels = None if _nearly(wanted, line) else self._labels
            off = "" if box is None else fault(quad, box, len(wanted), labels)
            if (box is None or off) and frame < SMALL_PX:
                stage, detail = "too small", f"{frame:.0f} px on the frame"
            elif box is None:
                stage = "not detected"
            elif off:
                stage, detail = "box off", off
        if not stage:
            text = "" if line is None else letters_and_digits(line.text)
            stage = "wrong characters" if text else "nothing read"
            if height < SMALL_PX:
                stage, detail = "too small", f"{height:.0f} px in the photo"
        return Diagnosis(
            picture,
            label,
            "" if line is None else line.text,
            0.0 if line is None else line.confidence,
            stage,
            detail,
            quad=quad,
            height_px=height,
            frame_px=frame,
            box=box,
            iou=overlap,
            part=overlap < 0.5 <= cover,
            chars=() if line is None else line.chars,
            probability=0.0 if line is None else line.probability,
        )

    def _stage(self, wanted: str, label: str) -> tuple[str, str]:
        """Return stage and detail if the texts alone determine them."""
        if any(wanted in text for text in self._shown):
            return READ, ""
        if len(wanted) > 3 and wanted in self._joined:
            return READ, "in several lines"
        if any(wanted in text for text in self._texts):
            return "rejected", ""
        words = _words(label)
        if len(words) > 1 and all(any(w in text for text in self._shown) for w in words):
            return "order", ""
        return "", ""

    def _line_at(
        self, wanted: str, quad: np.ndarray | None, box: np.ndarray | None
    ) -> LineReading | None:
        """Return the nearest line that contains the label's text, else the line read in the box."""
        lines = self._raw.lines
        matching = [i for i, text in enumerate(self._texts) if wanted in text]
        if matching:
            if quad is None:
                return lines[matching[0]]
            near = iou_matrix(self._lines[matching], quad[None])[:, 0]
            return lines[matching[int(near.argmax())]]
        if box is None or not lines:
            return None
        same = iou_matrix(self._lines, box[None])[:, 0]
        return lines[int(same.argmax())] if same.max() > 0.5 else None


def _nearly(wanted: str, line: LineReading | None) -> bool:
    """Tell whether a line contains a text with few edits."""
    if line is None:
        return False
    pairs = align_texts(wanted, letters_and_digits(line.text), part=True)
    return sum(a != b for a, b in pairs) <= len(wanted) / 3
