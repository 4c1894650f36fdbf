"""Which box is about a label, and what is wrong with it."""

from __future__ import annotations

import numpy as np

from sdk.geometry import angle, area, fit_rectangles, iou_matrix, shared_area, side_lengths

__all__ = ["fault", "nearest_box", "shared_areas"]

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


def shared_areas(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the areas that quads (n, 4, 2) and (m, 4, 2) px have in common, (n, m) square px."""
    overlap = iou_matrix(first, second)
    return shared_area(overlap, np.abs(area(first))[:, None], np.abs(area(second))[None])


def nearest_box(boxes: np.ndarray, quad: np.ndarray) -> tuple[np.ndarray | None, float, float]:
    """Return the box that is about a label, their IoU, and the share of the label it covers.

    Args:
        boxes: (n, 4, 2) px, at least one.
        quad: (4, 2) px, the label.

    Returns:
        None and zeros if no box is about it.
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
