"""The box that belongs to a label, and the faults of this box."""

from __future__ import annotations

import numpy as np

from sdk.geometry import angle, area, fit_rectangles, iou_matrix, shared_area, side_lengths

__all__ = ["fault", "nearest_box", "shared_areas"]

# A box belongs to a label if it covers this share of the label, or if half of the box is on it.
_TOUCHES = 0.1
# Share of the label's width that may lie outside a good box, at either end.
_LOOSE_END = 0.1
# Height of a good box relative to the label: labels of plates span the whole plate.
_HEIGHTS = (0.4, 1.8)
_MAX_OFFSET = 0.35
_MAX_TURN = np.deg2rad(20)
# Length beyond the label's ends, in heights, of a good box, where there is no other label.
_MAX_REACH = 1.5


def shared_areas(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the common areas of quads (n, 4, 2) and (m, 4, 2) px, (n, m) square px."""
    overlap = iou_matrix(first, second)
    return shared_area(overlap, np.abs(area(first))[:, None], np.abs(area(second))[None])


def nearest_box(boxes: np.ndarray, quad: np.ndarray) -> tuple[np.ndarray | None, float, float]:
    """Return the box that belongs to a label, their IoU, and the covered share of the label.

    Args:
        boxes: (n, 4, 2) px, at least one.
        quad: (4, 2) px, the label.

    Returns:
        None and zeros if no box belongs to the label.
    """
    overlap = iou_matrix(boxes, quad[None])[:, 0]
    shared = shared_areas(boxes, quad[None])[:, 0]
    cover = shared / max(abs(float(area(quad))), 1e-6)
    inside = shared / np.maximum(np.abs(area(boxes)), 1e-6)
    best = int((cover + overlap).argmax())
    if cover[best] < _TOUCHES and inside[best] < 0.5:
        return None, 0.0, 0.0
    return boxes[best], float(overlap[best]), float(cover[best])


def fault(quad: np.ndarray, box: np.ndarray, characters: int, labels: np.ndarray | None) -> str:
    """Return the faults of a box relative to its label; empty for a good box.

    Args:
        quad: (4, 2) px, the label.
        box: (4, 2) px, the detected box.
        characters: Number of the label's characters.
        labels: (m, 4, 2) px, all labels of the photo; None accepts a box of any length.
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
        faults.append(f"start truncated by {along.min():.0%}")
    if along.max() < 1 - missing:
        faults.append(f"end truncated by {1 - along.max():.0%}")
    if labels is not None:
        met = labels[shared_areas(box[None], labels)[0] > 0]
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
    """Return the length of a box beyond the ends of a label and outside other labels, px."""
    ends = (label @ u).min(), (label @ u).max()
    steps = np.linspace((box @ u).min(), (box @ u).max(), 200)
    beyond = (steps < ends[0]) | (steps > ends[1])
    for other in others @ u:
        beyond &= (steps < other.min()) | (steps > other.max())
    return float(beyond.mean() * (steps[-1] - steps[0]))


def _axis_offset(box: np.ndarray, label: np.ndarray, u: np.ndarray, v: np.ndarray) -> float:
    """Return the distance of the label's center from the box's center line, px."""
    start, end = 0.5 * (box[0] + box[3]), 0.5 * (box[1] + box[2])
    center = label.mean(0)
    run = float((end - start) @ u)
    share = float((center - start) @ u) / run if abs(run) > 1e-6 else 0.5
    return float((start + np.clip(share, 0, 1) * (end - start) - center) @ v)
