"""Text lines from the detector's maps.

Every map cell whose score is high describes a box as in EAST (Zhou et al. 2017): distances to four
edges and a direction. Cells that touch and agree make one line. Its direction is the weighted mean
of theirs; each edge is a vote of the cells in which those near the edge count more, since long
distances are regressed less precisely (EAST's known weakness with long lines, section 4.5 there).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.decode.nms import merge_collinear, suppress
from sdk.geometry import distances_to_quads, side_lengths

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Labels = NDArray[np.intp]
_Mean: TypeAlias = Callable[[Doubles, Doubles], Doubles]

__all__ = ["STRIDE", "Detections", "decode_maps"]

STRIDE = 4
"""Input pixels per map cell."""

# A cell belongs to another line than its group if its direction, axis or extent is this far off.
MAX_TURN_RAD = 0.5
MAX_OFFSET = 0.5
# Lines this many times longer than high have their direction corrected by the run of their axis.
MIN_ASPECT_TO_FIT = 2.0
# A line ends at most this many of its heights beyond its outermost cells: how far a line reaches is
# seen more surely than regressed, most of all in photos unlike the generated ones.
MAX_REACH = 1.0
# An edge counts as one between two lines if at most this share of the cells near it deny it.
MAX_SPANNING = 0.25
# A component is looked at closely if more than this share of its cells disagree with its line.
MAX_STRAY = 0.05


@dataclass(frozen=True, slots=True)
class Detections:
    """Lines found.

    Attributes:
        quads: float32 (n, 4, 2), input pixels, surest first; rectangles.
        scores: float32 (n,), mean text probability of the cells, 0..1.
    """

    quads: Floats
    scores: Floats

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells above the threshold, arrays of n rows; pixels."""

    center: Doubles  # (n, 2)
    score: Doubles  # (n,)
    direction: Doubles  # (n, 2), unit length
    horizontal: Doubles  # (n, 2) to start and end
    vertical: Doubles  # (n, 2) to top and bottom

    def pick(self, which: NDArray[np.bool_] | Labels) -> _Cells:
        return _Cells(
            self.center[which],
            self.score[which],
            self.direction[which],
            self.horizontal[which],
            self.vertical[which],
        )

    @property
    def height(self) -> Doubles:
        return self.vertical[:, 0] + self.vertical[:, 1]

    @property
    def axis_point(self) -> Doubles:
        """The point of each cell's axis next to the cell, (n, 2)."""
        down = np.stack([-self.direction[:, 1], self.direction[:, 0]], 1)
        return self.center + down * (0.5 * (self.vertical[:, 1] - self.vertical[:, 0]))[:, None]


@dataclass(frozen=True, slots=True)
class _Lines:
    """One rectangle per group, arrays of k rows; pixels along u and v of each group."""

    u: Doubles  # (k, 2)
    low: Doubles  # (k, 2): start along u, top along v
    high: Doubles  # (k, 2): end along u, bottom along v
    score: Doubles  # (k,)

    @property
    def v(self) -> Doubles:
        return np.stack([-self.u[:, 1], self.u[:, 0]], 1)

    def quads(self) -> Floats:
        zero = np.zeros_like(self.low)
        horizontal = np.stack([-self.low[:, 0], self.high[:, 0]], 1)
        vertical = np.stack([-self.low[:, 1], self.high[:, 1]], 1)
        return distances_to_quads(zero, self.u, horizontal, vertical)


def decode_maps(
    score: ArrayLike,
    vertical: ArrayLike,
    horizontal: ArrayLike,
    angle: ArrayLike,
    *,
    threshold: float = 0.5,
    nms_iou: float = 0.3,
    min_height_px: float = 0.0,
    stride: int = STRIDE,
) -> Detections:
    """Return the lines that the detector's maps of one picture describe.

    Args:
        score: (H, W) or (H, W, 1) logits of the text probability.
        vertical: (H, W, 2) distances of the cell's center to the top and bottom edge, input pixels.
        horizontal: (H, W, 2) distances to the start and the end edge.
        angle: (H, W, 2) cosine and sine of the reading direction, of any length.
        threshold: Least text probability of a cell, 0..1.
        nms_iou: Intersection over union above which the weaker box is dropped.
        min_height_px: Lines lower than this are dropped.
        stride: Input pixels per cell.
    """
    logits = np.asarray(score, np.float32)
    logits = logits.reshape(logits.shape[:2])
    least = float(np.clip(threshold, 1e-6, 1 - 1e-6))
    text = logits > np.log(least / (1 - least))
    rows, columns = np.nonzero(text)
    if not len(rows):
        return Detections(np.zeros((0, 4, 2), np.float32), np.zeros(0, np.float32))
    _, components = cv2.connectedComponents(text.astype(np.uint8), connectivity=8)
    direction = np.asarray(angle)[rows, columns].astype(np.float64)
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    cells = _Cells(
        np.stack([columns, rows], 1).astype(np.float64) * stride + 0.5 * stride,
        1 / (1 + np.exp(-logits[rows, columns].astype(np.float64))),
        np.where(length > 1e-6, direction / np.maximum(length, 1e-6), [1.0, 0.0]),
        np.maximum(np.asarray(horizontal)[rows, columns].astype(np.float64), 0),
        np.maximum(np.asarray(vertical)[rows, columns].astype(np.float64), 0),
    )
    groups = components[rows, columns].astype(np.intp) - 1
    fitted, lines, _ = _fit(cells, groups)
    mixed = _mixed(fitted, lines, groups)
    if mixed.any():
        # from the cells as they came: those of the fit were turned to their group's direction
        cells, groups = _split(cells, groups, mixed)
        _, lines, groups = _fit(cells, groups)
    # where cells contradict each other an edge may come out before the opposite one
    proper: NDArray[np.bool_] = np.all(lines.high > lines.low, axis=1)
    mass = np.bincount(groups, cells.score, len(proper))[proper]
    quads, certainty = lines.quads()[proper], lines.score[proper]
    quads, members = merge_collinear(quads, mass)
    scores = np.array([np.average(certainty[m], weights=mass[m]) for m in members], np.float32)
    mass = np.array([mass[m].sum() for m in members])
    width, height = side_lengths(quads)
    fit = (height >= max(min_height_px, 1e-3)) & (width >= 1e-3)
    quads, scores, mass = quads[fit], scores[fit], mass[fit]
    kept = suppress(quads, mass, nms_iou)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    return Detections(quads[kept], scores[kept])


def _fit(cells: _Cells, groups: Labels) -> tuple[_Cells, _Lines, Labels]:
    """Return one rectangle per group; cells against their group's direction are turned into it."""
    k = int(groups.max()) + 1

    def mean(values: Doubles, weights: Doubles) -> Doubles:
        out: Doubles = np.bincount(groups, values * weights, k) / np.bincount(groups, weights, k)
        return out

    # doubled angles: cells that see the line upside down still agree on its axis
    x, y = cells.direction.T
    doubled = np.arctan2(mean(2 * x * y, cells.score), mean(x * x - y * y, cells.score)) / 2
    axis = np.stack([np.cos(doubled), np.sin(doubled)], 1)
    along = (cells.direction * axis[groups]).sum(1)
    ahead = mean(np.sign(along), cells.score) >= 0
    axis[~ahead] *= -1
    against = (along >= 0) != ahead[groups]
    cells = _Cells(
        cells.center,
        cells.score,
        np.where(against[:, None], -cells.direction, cells.direction),
        np.where(against[:, None], cells.horizontal[:, ::-1], cells.horizontal),
        np.where(against[:, None], cells.vertical[:, ::-1], cells.vertical),
    )
    # a plain mean of the directions from here on; of doubled ones it would be less exact
    u = np.stack([mean(part, cells.score) for part in cells.direction.T], 1)
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-9)
    u = _turn_to_axis(u, cells, groups, mean)
    v = np.stack([-u[:, 1], u[:, 0]], 1)

    heights = np.maximum(mean(cells.height, cells.score), 1e-6)
    height = heights[groups, None]
    a = (cells.center * u[groups]).sum(1)
    b = (cells.axis_point * v[groups]).sum(1)
    # steep, so that the many cells far from an end of a long line do not outvote the few near it;
    # by place too, since where the line goes on unseen no cell claims to be near its end
    first, last = _least(a, groups, k), -_least(-a, groups, k)
    place = np.stack([a - first[groups], last[groups] - a], 1)
    near_h = cells.score[:, None]
    near_h = near_h / ((1 + cells.horizontal / height) ** 2 * (1 + place / height) ** 4)
    near_v = cells.score[:, None] / (1 + cells.vertical / height) ** 2
    half = 0.5 * cells.height
    reach = MAX_REACH * heights
    start = np.maximum(mean(a - cells.horizontal[:, 0], near_h[:, 0]), first - reach)
    end = np.minimum(mean(a + cells.horizontal[:, 1], near_h[:, 1]), last + reach)
    low = [start, mean(b - half, near_v[:, 0])]
    high = [end, mean(b + half, near_v[:, 1])]
    count = np.bincount(groups, minlength=k)
    score = np.bincount(groups, cells.score, k) / count
    return cells, _Lines(u, np.stack(low, 1), np.stack(high, 1), score), groups


def _least(values: Doubles, groups: Labels, k: int) -> Doubles:
    out = np.full(k, np.inf)
    np.minimum.at(out, groups, values)
    return out


def _turn_to_axis(u: Doubles, cells: _Cells, groups: Labels, mean: _Mean) -> Doubles:
    """Return directions corrected by the run of the cells' axes, which long lines know better."""
    k = len(u)
    v = np.stack([-u[:, 1], u[:, 0]], 1)
    point = cells.axis_point
    a, b = (point * u[groups]).sum(1), (point * v[groups]).sum(1)
    a -= mean(a, cells.score)[groups]
    variance = mean(a * a, cells.score)
    slope = mean(a * b, cells.score) / np.maximum(variance, 1e-9)
    # a run of evenly spread cells is sqrt(12) standard deviations long
    long = np.sqrt(12 * variance) > MIN_ASPECT_TO_FIT * mean(cells.height, cells.score)
    slope = np.where(long & (np.bincount(groups, minlength=k) > 2), np.clip(slope, -0.2, 0.2), 0)
    turned = u + slope[:, None] * v
    out: Doubles = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    return out


def _mixed(cells: _Cells, lines: _Lines, groups: Labels) -> NDArray[np.bool_]:
    """Tell which groups have many cells that describe another line than their group's."""
    denied = np.bincount(groups, cells.score * _disagrees(cells, lines, groups), len(lines.score))
    whole = np.bincount(groups, cells.score, len(lines.score))
    return np.asarray(denied > MAX_STRAY * whole, np.bool_)


def _split(cells: _Cells, groups: Labels, mixed: NDArray[np.bool_]) -> tuple[_Cells, Labels]:
    """Divide the groups marked as mixed; their stray cells are left out."""
    new = np.full(len(groups), -1, np.intp)
    intact = ~mixed[groups]
    new[intact] = groups[intact]
    count = len(mixed)
    for group in np.flatnonzero(mixed):
        members = np.flatnonzero(groups == group)
        for part in _parts(cells.pick(members)):
            new[members[part]] = count
            count += 1
    used = new >= 0
    _, numbered = np.unique(new[used], return_inverse=True)
    return cells.pick(used), numbered.reshape(-1).astype(np.intp)


def _disagrees(cells: _Cells, lines: _Lines, groups: Labels) -> NDArray[np.bool_]:
    """Tell which cells describe another line than their group's."""
    u, v = lines.u[groups], lines.v[groups]
    low, high = lines.low[groups], lines.high[groups]
    height = np.maximum(high[:, 1] - low[:, 1], 1e-6)
    turned = (cells.direction * u).sum(1) < np.cos(MAX_TURN_RAD)
    offset = np.abs((cells.axis_point * v).sum(1) - 0.5 * (low[:, 1] + high[:, 1]))
    a = (cells.center * u).sum(1)
    # of start and end only the nearer edge is known well enough to tell
    start = np.abs(a - cells.horizontal[:, 0] - low[:, 0])
    end = np.abs(a + cells.horizontal[:, 1] - high[:, 0])
    edge = np.where(cells.horizontal[:, 0] < cells.horizontal[:, 1], start, end)
    loose = np.maximum(height, 0.5 * cells.horizontal.min(1))
    out: NDArray[np.bool_] = turned | (offset > MAX_OFFSET * height) | (edge > loose)
    return out


def _parts(cells: _Cells) -> list[Labels]:
    """Divide the cells of one component by direction, then across, then along the lines."""
    everything = np.arange(len(cells.score))
    found = []
    for turned in _by_direction(cells, everything):
        for across in _by_axis(cells, turned):
            found += _by_extent(cells, across)
    return found


def _by_direction(cells: _Cells, members: Labels) -> list[Labels]:
    parts = []
    least = MAX_STRAY * cells.score[members].sum()
    while len(members):
        seed = members[cells.score[members].argmax()]
        same = np.abs(cells.direction[members] @ cells.direction[seed]) > np.cos(MAX_TURN_RAD)
        if cells.score[members[same]].sum() > least:
            parts.append(members[same])
        members = members[~same]
    return parts


def _by_axis(cells: _Cells, members: Labels) -> list[Labels]:
    """Divide where hardly any axis runs between those above and those below."""
    picked = cells.pick(members)
    fitted, _, _ = _fit(picked, np.zeros(len(members), np.intp))
    # the plain mean direction: the run of the axes means nothing for two lines
    u = picked.score @ fitted.direction
    v = np.array([-u[1], u[0]]) / max(float(np.linalg.norm(u)), 1e-9)
    b = picked.axis_point @ v
    order = np.argsort(b)
    b, mass = b[order], np.concatenate([[0.0], np.cumsum(picked.score[order])])
    window = 0.15 * float(np.average(picked.height, weights=picked.score))
    cuts = 0.5 * (b[1:] + b[:-1])
    inside = mass[np.searchsorted(b, cuts + window)] - mass[np.searchsorted(b, cuts - window)]
    # both sides must be more than strays
    least = MAX_STRAY * mass[-1]
    usable = (mass[1:-1] > least) & (mass[-1] - mass[1:-1] > least)
    if not usable.any():
        return [members]
    best = int(np.where(usable, inside, np.inf).argmin())
    if inside[best] > 0.5 * least:
        return [members]
    above, below = members[order[: best + 1]], members[order[best + 1 :]]
    return _by_axis(cells, above) + _by_axis(cells, below)


def _by_extent(cells: _Cells, members: Labels) -> list[Labels]:
    """Divide where the cells to the left say "ends here" and those to the right "starts here"."""
    picked, lines, _ = _fit(cells.pick(members), np.zeros(len(members), np.intp))
    a = picked.center @ lines.u[0]
    starts, ends = a - picked.horizontal[:, 0], a + picked.horizontal[:, 1]
    height = float(np.average(picked.height, weights=picked.score))
    cuts = np.arange(a.min(), a.max(), 0.25 * max(height, 1.0))[1:, None]  # (m, 1)
    near = (np.abs(a - cuts) < 1.5 * height) * picked.score  # (m, n)
    left, right = near * (a < cuts), near * (a >= cuts)
    ending = (left * (ends < cuts + 0.5 * height)).sum(1)
    starting = (right * (starts > cuts - 0.5 * height)).sum(1)
    sure = 1 - MAX_SPANNING
    here = (ending > sure * left.sum(1)) & (starting > sure * right.sum(1))
    if not here.any():
        return [members]
    # several neighboring positions describe one cut: take the middle of each run
    positions = np.flatnonzero(here)
    runs = np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1)
    edges = np.array([cuts[run, 0].mean() for run in runs])
    side = np.searchsorted(edges, 0.5 * (starts + ends))
    return [members[side == i] for i in range(len(edges) + 1) if (side == i).any()]
