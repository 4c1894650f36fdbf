"""Quadrilaterals of text lines.

A quad is float32 (4, 2), (x, y) in pixels. Its corners run clockwise on screen from the start of
reading: p0 start-top, p1 end-top, p2 end-bottom, p3 start-bottom. Coordinates are continuous: an
image spans [0, W] x [0, H], and the center of pixel (row i, column j) is (j + 0.5, i + 0.5). Angles
are radians in (-pi, pi], 0 along +x, clockwise on screen.

The distances of a map cell's center to the four edges describe a box, as in EAST (Zhou et al. 2017,
RBOX geometry). Unlike in EAST, distances are measured along the reading direction u = (cos, sin)
and across it, v = (-sin, cos), so that all reading directions can be represented.
"""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Number = TypeVar("Number", float, NDArray[Any])

# Index of the corner after each corner. Indexing takes a third of the time of np.roll.
NEXT = (1, 2, 3, 0)

__all__ = [
    "angle",
    "area",
    "box_quads",
    "cell_centers",
    "contains",
    "distances",
    "distances_to_quads",
    "fit_rectangles",
    "iou",
    "iou_matrix",
    "map_points",
    "quad_points",
    "reverse",
    "shared_area",
    "shrink",
    "side_lengths",
    "slice_quads",
    "slice_rows",
]


def angle(quads: ArrayLike) -> Floats:
    """Return the reading direction of quads: atan2 of p1 - p0.

    Args:
        quads: (..., 4, 2) pixels.

    Returns:
        float32 (...), radians in (-pi, pi].
    """
    q = np.asarray(quads, np.float32)
    edge = q[..., 1, :] - q[..., 0, :]
    radians: Floats = np.arctan2(edge[..., 1], edge[..., 0])
    # atan2 gives -pi for a y of -0.0
    return np.where(radians <= -np.float32(np.pi), np.float32(np.pi), radians)


def area(quads: ArrayLike) -> Floats:
    """Return the areas of quads by the shoelace formula, square pixels, positive if clockwise.

    Args:
        quads: (..., 4, 2) pixels.

    Returns:
        float32 (...).
    """
    q = np.asarray(quads, np.float64)
    q = q - q[..., :1, :]
    nxt = q[..., NEXT, :]
    twice = (q[..., 0] * nxt[..., 1] - q[..., 1] * nxt[..., 0]).sum(-1)
    return np.asarray(0.5 * twice, np.float32)


def side_lengths(quads: ArrayLike) -> tuple[Floats, Floats]:
    """Return the width (along reading) and height of quads, as means of opposite sides.

    Args:
        quads: (..., 4, 2) pixels.

    Returns:
        Width and height, float32 (...) each, pixels.
    """
    q = np.asarray(quads, np.float32)
    # sides in the order top, end, bottom, start
    sides = q[..., NEXT, :] - q
    lengths = np.sqrt((sides * sides).sum(-1))
    width: Floats = 0.5 * (lengths[..., 0] + lengths[..., 2])
    height: Floats = 0.5 * (lengths[..., 1] + lengths[..., 3])
    return width, height


def box_quads(
    centers: ArrayLike, widths: ArrayLike, heights: ArrayLike, angles: ArrayLike
) -> Floats:
    """Return the quads of rotated boxes.

    Args:
        centers: (..., 2) pixels.
        widths: (...) pixels along the reading direction.
        heights: (...) pixels across the reading direction.
        angles: (...) reading direction, radians.

    Returns:
        float32 (..., 4, 2).
    """
    c = np.asarray(centers, np.float64)
    a = np.asarray(angles, np.float64)
    half_w = 0.5 * np.asarray(widths, np.float64)[..., None]
    half_h = 0.5 * np.asarray(heights, np.float64)[..., None]
    direction = np.stack([np.cos(a), np.sin(a)], -1)
    return distances_to_quads(
        c, direction, np.concatenate([half_w, half_w], -1), np.concatenate([half_h, half_h], -1)
    )


def cell_centers(height: int, width: int, stride: int = 4) -> Floats:
    """Return the centers of map cells in input pixels.

    Args:
        height: Rows of the map.
        width: Columns of the map.
        stride: Input pixels per cell.

    Returns:
        float32 (height, width, 2), (x, y) = ((j + 0.5) * stride, (i + 0.5) * stride).
    """
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return (np.stack([x, y], -1) * stride).astype(np.float32)


def distances_to_quads(
    centers: ArrayLike, direction: ArrayLike, horizontal: ArrayLike, vertical: ArrayLike
) -> Floats:
    """Return quads from points and their distances to the four edges.

    Args:
        centers: (..., 2) pixels.
        direction: (..., 2) reading direction (cos, sin), unit length.
        horizontal: (..., 2) distances to the start and the end edge, pixels.
        vertical: (..., 2) distances to the top and the bottom edge, pixels.

    Returns:
        float32 (..., 4, 2).
    """
    c = np.asarray(centers, np.float64)
    u = np.asarray(direction, np.float64)
    v = np.stack([-u[..., 1], u[..., 0]], -1)
    h = np.asarray(horizontal, np.float64)[..., None]
    w = np.asarray(vertical, np.float64)[..., None]
    start, end = -h[..., 0, :] * u, h[..., 1, :] * u
    top, bottom = -w[..., 0, :] * v, w[..., 1, :] * v
    corners = [c + start + top, c + end + top, c + end + bottom, c + start + bottom]
    return np.stack(corners, -2).astype(np.float32)


def distances(points: ArrayLike, quad: ArrayLike) -> tuple[Floats, Floats]:
    """Return the distances of points to the edges of a rectangle, see `distances_to_quads`.

    Args:
        points: (..., 2) pixels.
        quad: (4, 2), a rectangle (see `fit_rectangles`).

    Returns:
        horizontal: float32 (..., 2), distances to the start and end edge, pixels, negative outside.
        vertical: float32 (..., 2), distances to the top and bottom edge, pixels, negative outside.
    """
    p = np.asarray(points, np.float64)
    q = np.asarray(quad, np.float64)
    a = float(angle(q))
    u, v = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
    horizontal = np.stack([(p - q[0]) @ u, (q[2] - p) @ u], -1)
    vertical = np.stack([(p - q[0]) @ v, (q[2] - p) @ v], -1)
    return horizontal.astype(np.float32), vertical.astype(np.float32)


def fit_rectangles(quads: ArrayLike) -> Floats:
    """Return rectangles that approximate quads, start corner first.

    The direction leads from the middle of the start edge to the middle of the end edge. Width and
    height are the mean extents along and across this direction. The center is the mean of the
    corners. A rectangle is returned unchanged.

    Args:
        quads: (..., 4, 2) pixels.

    Returns:
        float32 (..., 4, 2).
    """
    q = np.asarray(quads, np.float64)
    axis = 0.5 * (q[..., 1, :] + q[..., 2, :] - q[..., 0, :] - q[..., 3, :])
    down = 0.5 * (q[..., 2, :] + q[..., 3, :] - q[..., 0, :] - q[..., 1, :])
    length = np.linalg.norm(axis, axis=-1)
    a = np.arctan2(axis[..., 1], axis[..., 0])
    across = np.abs(-np.sin(a) * down[..., 0] + np.cos(a) * down[..., 1])
    return box_quads(q.mean(-2), length, across, a)


def shrink(quads: ArrayLike, along: float, across: float) -> Floats:
    """Return quads shrunk around their centers.

    Args:
        quads: (..., 4, 2) pixels.
        along: Share of the height that is removed at the start and at the end each, 0 and up, but
            at most 45 % of the width.
        across: Share of the height that is removed at the top and at the bottom each, 0 to below
            0.5.

    Returns:
        float32 (..., 4, 2).
    """
    q = np.asarray(quads, np.float64)
    width, height = (x.astype(np.float64) for x in side_lengths(q))
    s = np.minimum(along * height / np.maximum(width, 1e-6), 0.45)[..., None]
    t = across
    p0, p1, p2, p3 = (q[..., k, :] for k in range(4))

    def at(i: NDArray[np.float64] | float, j: float) -> NDArray[np.float64]:
        top, bottom = p0 + (p1 - p0) * i, p3 + (p2 - p3) * i
        out: NDArray[np.float64] = top + (bottom - top) * j
        return out

    return np.stack([at(s, t), at(1 - s, t), at(1 - s, 1 - t), at(s, 1 - t)], -2).astype(np.float32)


def slice_quads(quad: ArrayLike, start: ArrayLike, end: ArrayLike) -> Floats:
    """Return parts of a quad between positions along reading, for example its characters.

    Args:
        quad: (4, 2) pixels.
        start: (n,) start positions, 0 at the start edge, 1 at the end edge.
        end: (n,) end positions.

    Returns:
        float32 (n, 4, 2).
    """
    q = np.asarray(quad, np.float64)
    s = np.asarray(start, np.float64)[:, None]
    e = np.asarray(end, np.float64)[:, None]
    top, bottom = q[1] - q[0], q[2] - q[3]
    corners = [q[0] + s * top, q[0] + e * top, q[3] + e * bottom, q[3] + s * bottom]
    return np.stack(corners, 1).astype(np.float32)


def slice_rows(quad: ArrayLike, top: float, bottom: float) -> Floats:
    """Return the part of a quad between two positions across reading.

    Args:
        quad: (4, 2) pixels.
        top: Position of the new top edge, 0 at the old top edge, 1 at the old bottom edge.
        bottom: Position of the new bottom edge.

    Returns:
        float32 (4, 2).
    """
    q = np.asarray(quad, np.float64)
    start, end = q[3] - q[0], q[2] - q[1]
    corners = [q[0] + top * start, q[1] + top * end, q[1] + bottom * end, q[0] + bottom * start]
    return np.stack(corners).astype(np.float32)


def reverse(quads: ArrayLike) -> Floats:
    """Return quads read in the opposite direction (turned by 180 degrees in place).

    Args:
        quads: (..., 4, 2) pixels.

    Returns:
        float32 (..., 4, 2), a copy.
    """
    return np.roll(np.asarray(quads, np.float32), -2, axis=-2)


def quad_points(
    quad: ArrayLike, u: NDArray[np.float64], v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Map points of the unit square to points of a quad by a homography.

    The formula is that of Heckbert 1989, "Fundamentals of Texture Mapping and Image Warping",
    section 2.2.3, in double precision. The last digits of a solver would depend on its library.

    Args:
        quad: (4, 2) pixels, convex.
        u: Positions from the start (0) to the end (1), broadcast with `v`.
        v: Positions from the top (0) to the bottom (1).

    Returns:
        x and y in pixels, float64 of the broadcast shape.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = np.asarray(quad, np.float64).tolist()
    # the deviation from a parallelogram, with a tolerance for rounding
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    if max(abs(sx), abs(sy)) < 1e-3:
        return (x1 - x0) * u + ((x3 - x0) * v + x0), (y1 - y0) * u + ((y3 - y0) * v + y0)
    ax, bx, ay, by = x1 - x2, x3 - x2, y1 - y2, y3 - y2
    area = ax * by - bx * ay
    g, h = ((sx * by - bx * sy) / area, (ax * sy - sx * ay) / area) if area else (0.0, 0.0)
    depth = g * u + (h * v + 1)
    x = ((x1 - x0 + g * x1) * u + ((x3 - x0 + h * x3) * v + x0)) / depth
    y = ((y1 - y0 + g * y1) * u + ((y3 - y0 + h * y3) * v + y0)) / depth
    return x, y


def map_points(points: ArrayLike, matrix: ArrayLike) -> Floats:
    """Return points moved by an affine map or a homography.

    Args:
        points: (..., 2) pixels.
        matrix: (2, 3) affine or (3, 3) homography acting on (x, y, 1).

    Returns:
        float32 (..., 2).
    """
    p = np.asarray(points, np.float64)
    m = np.asarray(matrix, np.float64)
    moved = p @ m[:, :2].T + m[:, 2]
    if m.shape[0] == 3:
        moved = moved[..., :2] / moved[..., 2:]
    out: Floats = moved.astype(np.float32)
    return out


def contains(quad: ArrayLike, points: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points lie inside a convex quad or on its edge.

    Args:
        quad: (4, 2) pixels, clockwise.
        points: (..., 2) pixels.

    Returns:
        bool (...).
    """
    q = np.asarray(quad, np.float64)
    p = np.asarray(points, np.float64)[..., None, :]
    edge = np.roll(q, -1, axis=0) - q
    offset = p - q
    cross = edge[:, 0] * offset[..., 1] - edge[:, 1] * offset[..., 0]
    out: NDArray[np.bool_] = np.all(cross >= 0, axis=-1)
    return out


def iou(first: ArrayLike, second: ArrayLike) -> float:
    """Return the intersection over union of two quads' convex hulls, 0 to 1.

    Args:
        first: (4, 2) pixels, any order of corners.
        second: (4, 2) pixels.
    """
    one, two = np.asarray(first, np.float32), np.asarray(second, np.float32)
    # near the origin single precision is fine enough for small quads
    a, b = _hull(one - one[0]), _hull(two - one[0])
    areas = _polygon_area(a), _polygon_area(b)
    if min(areas) <= 0:
        return 0.0
    shared = _polygon_area(_clip(a, b))
    return min(1.0, max(0.0, shared / max(sum(areas) - shared, 1e-9)))


def shared_area(overlap: Number, first: Number, second: Number) -> Number:
    """Return the shared area s of two quads, from IoU = s / (first + second - s).

    Args:
        overlap: Intersection over union of the quads, a number or an array.
        first: Area of the first quad, square pixels.
        second: Area of the second quad, square pixels.
    """
    shared: Number = overlap * (first + second) / (1 + overlap)
    return shared


def _hull(points: Floats) -> list[tuple[float, float]]:
    """Return the convex hull of points, clockwise on screen."""
    hull = cv2.convexHull(points, clockwise=True)[:, 0].tolist()
    corners = [(float(x), float(y)) for x, y in hull]
    return corners if _polygon_area(corners) >= 0 else corners[::-1]


def _polygon_area(corners: list[tuple[float, float]]) -> float:
    """Return the area of a polygon, positive if clockwise on screen."""
    following = corners[1:] + corners[:1]
    return 0.5 * sum(x * v - u * y for (x, y), (u, v) in zip(corners, following, strict=True))


def _clip(
    subject: list[tuple[float, float]], window: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return the part of a convex polygon inside another, both clockwise on screen.

    The algorithm is that of Sutherland and Hodgman 1974, "Reentrant Polygon Clipping". OpenCV's
    intersectConvexConvex is wrong for some polygons with collinear edges, which occur among parts
    of one text line.
    """
    for (x, y), (u, v) in zip(window, window[1:] + window[:1], strict=True):
        if not subject:
            break
        # twice the area of the triangle with the edge: positive inside
        sides = [(u - x) * (q - y) - (v - y) * (p - x) for p, q in subject]
        kept = []
        for i, (p, q) in enumerate(subject):
            j = (i + 1) % len(subject)
            here, there = sides[i], sides[j]
            if here >= 0:
                kept.append((p, q))
            if (here >= 0) != (there >= 0):
                share = here / (here - there)
                kept.append((p + share * (subject[j][0] - p), q + share * (subject[j][1] - q)))
        subject = kept
    return subject


def iou_matrix(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the intersection over union of every pair of quads.

    Pairs whose upright bounding boxes do not touch are skipped.

    Args:
        first: (n, 4, 2) pixels.
        second: (m, 4, 2) pixels.

    Returns:
        float32 (n, m), 0 to 1.
    """
    a = np.asarray(first, np.float32).reshape(-1, 4, 2)
    b = np.asarray(second, np.float32).reshape(-1, 4, 2)
    out = np.zeros((len(a), len(b)), np.float32)
    low = np.maximum(a.min(1)[:, None], b.min(1)[None])
    high = np.minimum(a.max(1)[:, None], b.max(1)[None])
    for i, j in np.argwhere((high > low).all(-1)):
        out[i, j] = iou(a[i], b[j])
    return out
