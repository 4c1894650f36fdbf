"""Suppression of rotated boxes and union of the parts of one line.

Locality-aware NMS (Zhou et al. 2017, "EAST: An Efficient and Accurate Scene Text Detector", section
3.6) merges boxes before it suppresses any, and ranks boxes by summed scores. Here
`sdk.detect.maps` has merged the cells, so only a few boxes remain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.geometry import angle, area, distances_to_quads, iou, shared_area, side_lengths

Floats = NDArray[np.float32]

__all__ = ["merge_collinear", "suppress"]

# Two boxes are parts of one line if they share their direction, their axis and their height.
MAX_TURN_RAD = 0.2
MAX_OFFSET = 0.35
MAX_HEIGHT_RATIO = 1.6
MIN_OVERLAP = 0.2


def suppress(
    quads: ArrayLike, ranks: ArrayLike, threshold: float, inside: float = 0.7
) -> NDArray[np.intp]:
    """Return the quads that remain after each has dropped the lower-ranked quads it overlaps.

    Args:
        quads: (n, 4, 2) pixels, convex.
        ranks: (n,), the higher rank wins.
        threshold: Intersection over union above which the lower-ranked quad is dropped.
        inside: Share of its own area inside a kept quad above which a quad is dropped.

    Returns:
        int (m,), indices of the remaining quads in order of rank.
    """
    q = np.asarray(quads, np.float32).reshape(-1, 4, 2)
    order = np.argsort(-np.asarray(ranks, np.float64), kind="stable")
    low, high, areas = q.min(1), q.max(1), np.abs(area(q))
    kept: list[int] = []
    for i in order.tolist():
        k = np.array(kept, np.intp)
        near = k[((high[k] > low[i]) & (low[k] < high[i])).all(-1)]
        if not any(_drops(q[j], q[i], areas[j], areas[i], threshold, inside) for j in near):
            kept.append(i)
    return np.array(kept, np.intp)


def _drops(
    kept: Floats,
    other: Floats,
    kept_area: float,
    other_area: float,
    threshold: float,
    inside: float,
) -> bool:
    overlap = iou(kept, other)
    shared = shared_area(overlap, kept_area, other_area)
    return overlap > threshold or shared > inside * max(other_area, 1e-6)


def merge_collinear(quads: ArrayLike, weights: ArrayLike) -> tuple[Floats, list[list[int]]]:
    """Unite rectangles that are overlapping parts of one line.

    Args:
        quads: (n, 4, 2) pixels, rectangles.
        weights: (n,) positive, weights of the means of direction and height.

    Returns:
        The quads, float32 (m, 4, 2) with m <= n, and for each the indices of its parts.
    """
    q = np.asarray(quads, np.float32).reshape(-1, 4, 2)
    weight = np.asarray(weights, np.float64)
    groups = [[i] for i in range(len(q))]
    boxes = list(q)
    merged = True
    while merged and len(boxes) > 1:
        merged = False
        for i, j in np.argwhere(np.triu(_touching(np.stack(boxes)), 1)).tolist():
            if _same_line(boxes[i], boxes[j]):
                members = groups[i] + groups[j]
                boxes[i] = _union(q[members], weight[members])
                groups[i] = members
                del boxes[j], groups[j]
                merged = True
                break
    return np.stack(boxes) if boxes else q, groups


def _touching(q: Floats) -> NDArray[np.bool_]:
    low, high = q.min(1), q.max(1)
    out: NDArray[np.bool_] = np.all(
        np.maximum(low[:, None], low) <= np.minimum(high[:, None], high), axis=-1
    )
    return out


def _same_line(a: Floats, b: Floats) -> bool:
    first, second = float(angle(a)), float(angle(b))
    if np.cos(first - second) < np.cos(MAX_TURN_RAD):
        return False
    (wide_a, high_a), (wide_b, high_b) = (map(float, side_lengths(x)) for x in (a, b))
    low, high = sorted((high_a, high_b))
    if high > MAX_HEIGHT_RATIO * low:
        return False
    # in the frame of the longer box, whose direction is more precise
    u = np.array(
        [np.cos(first), np.sin(first)] if wide_a > wide_b else [np.cos(second), np.sin(second)]
    )
    v = np.array([-u[1], u[0]])
    # the axes are compared where the boxes meet: far away, a small turn looks like an offset
    along_a, along_b = a @ u, b @ u
    overlap = min(along_a.max(), along_b.max()) - max(along_a.min(), along_b.min())
    if overlap < MIN_OVERLAP * low:
        return False
    meet = 0.5 * (min(along_a.max(), along_b.max()) + max(along_a.min(), along_b.min()))
    offset = _axis_at(a, u, v, meet) - _axis_at(b, u, v, meet)
    return bool(abs(offset) < MAX_OFFSET * low)


def _axis_at(q: Floats, u: NDArray[np.float64], v: NDArray[np.float64], along: float) -> float:
    start, end = 0.5 * (q[0] + q[3]), 0.5 * (q[1] + q[2])
    span = float((end - start) @ u)
    share = (along - float(start @ u)) / span if abs(span) > 1e-6 else 0.5
    return float((start + share * (end - start)) @ v)


def _union(q: Floats, weights: NDArray[np.float64]) -> Floats:
    # long parts give the direction more precisely
    w = weights * np.maximum(side_lengths(q)[0], 1e-6)
    a = angle(q).astype(np.float64)
    u = np.array([w @ np.cos(a), w @ np.sin(a)])
    u /= np.linalg.norm(u)
    v = np.array([-u[1], u[0]])
    center = np.average(q.reshape(-1, 2).astype(np.float64), axis=0, weights=np.repeat(w, 4))
    along = (q - center) @ u
    height = np.average(side_lengths(q)[1], weights=w)
    middle = np.average(((q - center) @ v).mean(1), weights=w)
    return distances_to_quads(
        center,
        u,
        np.array([-along.min(), along.max()]),
        np.array([0.5 * height - middle, 0.5 * height + middle]),
    )
