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

from sdk.geometry import angle, area, fit_rectangles, iou_matrix, side_lengths
from sdk.metrics import letters_and_digits
from training.diagnose.confusion import align_texts
from training.diagnose.looks import Look
from training.reading import Line

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

# A box is about a label if it covers this share of it, or lies on it with half of itself.
_TOUCHES = 0.1
# Share of the label's width that may lie outside a good box at either end.
_LOOSE_END = 0.1
# Height of a good box by the label's: labels of plates span the plate, not its letters.
_HEIGHTS = (0.4, 1.8)
_MAX_OFFSET = 0.35
_MAX_TURN = np.deg2rad(20)
# Heights that a good box may reach beyond the label's ends where no other label is.
_MAX_REACH = 1.5


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
    own = _shared(boxes, quads) / np.maximum(np.abs(area(boxes)), 1e-6)[:, None]
    return int((own.sum(1) < 0.3).sum())


def _shared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the areas that quads (n, 4, 2) and (m, 4, 2) have in common, (n, m) square px."""
    overlap = iou_matrix(first, second)
    both = np.abs(area(first))[:, None] + np.abs(area(second))[None]
    # IoU = s / (both - s), solved for the shared area s
    shared: np.ndarray = overlap * both / (1 + overlap)
    return shared


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
            box, overlap, cover = _nearest(self._look.boxes, quad)
        line = self._line_at(wanted, quad, box)
        height = 0.0 if quad is None else float(side_lengths(quad)[1])
        frame = height * self._look.scale
        stage, detail = self._stage(wanted, label)
        if not stage and quad is None:
            stage = "not detected"
        if not stage and quad is not None:
            # of a line that was nearly read no end is too far
            labels = None if _nearly(wanted, line) else self._labels
            fault = "" if box is None else _fault(quad, box, len(wanted), labels)
            if (box is None or fault) and frame < SMALL_PX:
                stage, detail = "too small", f"{frame:.0f} px on the frame"
            elif box is None:
                stage = "not detected"
            elif fault:
                stage, detail = "box off", fault
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
            quad,
            height,
            frame,
            box,
            overlap,
            overlap < 0.5 <= cover,
            () if line is None else line.chars,
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


def _nearest(boxes: np.ndarray, quad: np.ndarray) -> tuple[np.ndarray | None, float, float]:
    """Return the box that is about a label, their IoU, and the share of the label it covers."""
    overlap = iou_matrix(boxes, quad[None])[:, 0]
    shared = _shared(boxes, quad[None])[:, 0]
    cover = shared / max(abs(float(area(quad))), 1e-6)
    inside = shared / np.maximum(np.abs(area(boxes)), 1e-6)
    best = int((cover + overlap).argmax())
    if cover[best] < _TOUCHES and inside[best] < 0.5:
        return None, 0.0, 0.0
    return boxes[best], float(overlap[best]), float(cover[best])


def _fault(quad: np.ndarray, box: np.ndarray, characters: int, labels: np.ndarray | None) -> str:
    """Return what is wrong with a box, in the frame of its label; empty if it is good.

    Args:
        quad: (4, 2) px, the label.
        box: (4, 2) px, found.
        characters: Number of the label's characters.
        labels: (m, 4, 2) px of all labels of the photo; None lets the box reach beyond its own.
    """
    label = fit_rectangles(quad).astype(np.float64)
    turn = float(angle(label))
    u, v = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    width, height = (max(float(side), 1e-6) for side in side_lengths(label))
    faults = []
    off = float(angle(box)) - turn
    off = (off + np.pi) % (2 * np.pi) - np.pi
    if abs(off) > _MAX_TURN:
        faults.append(f"turned by {np.rad2deg(off):.0f} degrees")
    along = ((box - label[0]) @ u) / width
    missing = max(_LOOSE_END, 0.5 / max(characters, 1))
    if along.min() > missing:
        faults.append(f"start cut by {along.min():.0%}")
    if along.max() < 1 - missing:
        faults.append(f"end cut by {1 - along.max():.0%}")
    if labels is not None:
        met = labels[_shared(box[None], labels)[0] > 0]
        reach = _reach(box, label, met, u) / height
        if reach > _MAX_REACH:
            faults.append(f"{reach:.1f} heights too long")
    ratio = float(side_lengths(box)[1]) / height
    if not _HEIGHTS[0] <= ratio <= _HEIGHTS[1]:
        faults.append(f"{ratio:.1f} times as high")
    offset = _axis_offset(box, label, u, v) / height
    if abs(offset) > _MAX_OFFSET:
        faults.append(f"off by {abs(offset):.1f} heights")
    return ", ".join(faults)


def _reach(box: np.ndarray, label: np.ndarray, others: np.ndarray, u: np.ndarray) -> float:
    """Return how far a box reaches beyond a label's ends where it meets no other label, px."""
    ends = (label @ u).min(), (label @ u).max()
    steps = np.linspace((box @ u).min(), (box @ u).max(), 200)
    beyond = (steps < ends[0]) | (steps > ends[1])
    for other in others @ u:
        beyond &= (steps < other.min()) | (steps > other.max())
    return float(beyond.mean() * (steps[-1] - steps[0]))


def _axis_offset(box: np.ndarray, label: np.ndarray, u: np.ndarray, v: np.ndarray) -> float:
    """Return how far the box's middle line passes from the label's center, px."""
    start, end = 0.5 * (box[0] + box[3]), 0.5 * (box[1] + box[2])
    center = label.mean(0)
    run = float((end - start) @ u)
    share = float((center - start) @ u) / run if abs(run) > 1e-6 else 0.5
    return float((start + np.clip(share, 0, 1) * (end - start) - center) @ v)
