"""Sort every label by what became of it: read, or lost by one stage of the reader.

Texts are compared upper-cased, letters and digits only. On photos a label counts as read if it
occurs whole in a line, or, with more than three characters, in all lines joined: sets label words
or lines as they like, and many label only part of the text. What is lost goes to the first stage of
`STAGES` that explains it.
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
from training.evaluate.diagnose.raw_reading import Look
from training.evaluate.reading import Line

__all__ = ["READ", "SMALL_PX", "STAGES", "Verdict", "sort_line", "sort_photo", "unlabelled"]

READ = "read"

STAGES = {
    "rejected": "read right, but less sure than min_confidence",
    "order": "all its words were read, but apart or in another order",
    "too small": "lower than the networks can read",
    "not detected": "no box on it",
    "box off": "a box on it that cuts it, reaches far beyond it, or runs another way",
    "nothing read": "a good box, but no text in it",
    "wrong characters": "a good box, but another text in it",
}
"""What may lose a label, in the order in which it is asked."""

SMALL_PX = 8.0
"""Lower lines are too small: stride-4 features hold two rows of them."""


@dataclass(frozen=True)
class Verdict:
    """What became of a label.

    Attributes:
        picture: Name of the picture.
        label: Text wanted.
        reading: Text read in its place.
        confidence: Of that line, 0..1.
        stage: `READ` or one of `STAGES`.
        detail: What exactly, in a few words.
        quad: float32 (4, 2) px, the label's; None if it has none, or is the whole picture.
        height_px: Height of the label in the picture.
        frame_px: The same on the detector's frame; 0 for pictures of one line.
        box: float32 (4, 2) px, the box that was judged; None if there is none.
        iou: Of the label and that box, 0..1.
        part: Whether the label is only a part of the line that was read.
        chars: Confidences of the reading's characters.
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


def sort_line(picture: str, label: str, read: Line, height_px: float) -> Verdict:
    """Return what became of the label of a picture of one line.

    Args:
        picture: Its name.
        label: Text wanted.
        read: What was read.
        height_px: The picture's smaller side.
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
    return Verdict(
        picture,
        label,
        read.text,
        read.confidence,
        stage,
        detail,
        height_px=height_px,
        chars=read.chars,
    )


def _words(text: str) -> list[str]:
    return sorted(word for word in map(letters_and_digits, text.split()) if word)


def sort_photo(
    picture: str, labels: Sequence[dict[str, Any]], look: Look, bound: float
) -> list[Verdict]:
    """Return what became of each label of a photo that counts.

    Args:
        picture: Its name.
        labels: Entries "text", "quad", "ignore" of its record.
        look: What was seen.
        bound: Least confidence of lines that the reader returns.
    """
    page = _Page(look, bound, [label["quad"] for label in labels if label["quad"]])
    return [
        page.verdict(picture, label["text"], label["quad"])
        for label in labels
        if not label.get("ignore") and letters_and_digits(label["text"])
    ]


def unlabelled(labels: Sequence[dict[str, Any]], look: Look, bound: float) -> int:
    """Return how many lines were read where no label is; for photos whose text is all labelled.

    Args:
        labels: Entries "text", "quad", "ignore" of the photo's record.
        look: What was seen.
        bound: Least confidence of lines that the reader returns.
    """
    quads = np.array([x["quad"] for x in labels if x["quad"]], np.float32).reshape(-1, 4, 2)
    shown = [line.quad for line in look.lines if line.confidence >= bound]
    boxes = np.array(shown, np.float32).reshape(-1, 4, 2)
    if not len(quads):
        return len(boxes)
    own = shared_areas(boxes, quads) / np.maximum(np.abs(area(boxes)), 1e-6)[:, None]
    return int((own.sum(1) < 0.3).sum())


class _Page:
    """One photo's reading, asked for one label after another."""

    def __init__(self, look: Look, bound: float, labels: Sequence[Any]) -> None:
        self._look = look
        self._texts = [letters_and_digits(line.text) for line in look.lines]
        self._kept = [line.confidence >= bound for line in look.lines]
        shown = [t for t, kept in zip(self._texts, self._kept, strict=True) if kept]
        self._shown, self._joined = shown, "".join(shown)
        quads = [line.quad for line in look.lines]
        self._lines = np.array(quads, np.float32).reshape(-1, 4, 2)
        self._labels = np.array(labels, np.float32).reshape(-1, 4, 2)

    def verdict(self, picture: str, label: str, corners: Any) -> Verdict:
        wanted = letters_and_digits(label)
        quad = np.array(corners, np.float32) if corners else None
        box, overlap, cover = None, 0.0, 0.0
        if quad is not None and len(self._look.boxes):
            box, overlap, cover = nearest_box(self._look.boxes, quad)
        line = self._line_at(wanted, quad, box)
        height = 0.0 if quad is None else float(side_lengths(quad)[1])
        frame = height * self._look.scale
        stage, detail = self._stage(wanted, label)
        if not stage and quad is None:
            stage = "not detected"
        if not stage and quad is not None:
            # of a line that was nearly read no end is too far
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
        return Verdict(
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
        )

    def _stage(self, wanted: str, label: str) -> tuple[str, str]:
        """Return the stage as far as the texts alone tell."""
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

    def _line_at(self, wanted: str, quad: np.ndarray | None, box: np.ndarray | None) -> Line | None:
        """Return the line that says it, the nearest of several; else the one read in the box."""
        lines = self._look.lines
        saying = [i for i, text in enumerate(self._texts) if wanted in text]
        if saying:
            if quad is None:
                return lines[saying[0]]
            near = iou_matrix(self._lines[saying], quad[None])[:, 0]
            return lines[saying[int(near.argmax())]]
        if box is None or not lines:
            return None
        same = iou_matrix(self._lines, box[None])[:, 0]
        return lines[int(same.argmax())] if same.max() > 0.5 else None


def _nearly(wanted: str, line: Line | None) -> bool:
    """Tell whether a line holds a text with few edits."""
    if line is None:
        return False
    pairs = align_texts(wanted, letters_and_digits(line.text), part=True)
    return sum(a != b for a, b in pairs) <= len(wanted) / 3
