"""Text lines from the detector's maps.

Every map cell with a high score describes a box as in EAST (Zhou et al. 2017): distances to four
edges and a direction. Cells that touch and agree form one line. The line's direction is the
weighted mean of its cells' directions. Each edge is a weighted mean in which cells near the edge
count more, because long distances are regressed less precisely (a known weakness of EAST with long
lines, section 4.5 there).

Points and directions are complex numbers, x + iy. Multiplication by i turns by 90 degrees clockwise
on screen. p * conj(u) gives the coordinates of p along and across a direction u.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.detect.nms import merge_collinear, suppress
from sdk.geometry import distances_to_quads, side_lengths

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Points = NDArray[np.complex128]
Labels = NDArray[np.intp]

__all__ = ["STRIDE", "Detections", "decode_maps"]

STRIDE = 4
"""Input pixels per map cell."""

# A cell does not belong to its group's line if its direction, axis or extent differs by more.
MAX_TURN_RAD = 0.5
MAX_OFFSET = 0.5
# From this aspect ratio, a fit through the axis points corrects the direction of a line.
MIN_ASPECT_TO_FIT = 2.0
# A line ends at most this many of its heights beyond its outermost cells. The score map shows the
# extent of a line more reliably than the regressed distances, above all in real photos.
MAX_REACH = 1.0
# Two lines meet at a position if at most this share of the cells near the position contradict.
MAX_SPANNING = 0.25
# A component is divided if more than this share of its cells disagree with its line.
MAX_STRAY = 0.05


@dataclass(frozen=True, slots=True)
class Detections:
    """Lines found.

    Attributes:
        quads: float32 (n, 4, 2), rectangles in input pixels, highest score first.
        scores: float32 (n,), mean text probability of the cells, 0..1.
    """

    quads: Floats
    scores: Floats

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells above the threshold, in pixels."""

    center: Points  # (n,)
    score: Doubles  # (n,)
    direction: Points  # (n,), unit length
    horizontal: Doubles  # (2, n) to start and end
    vertical: Doubles  # (2, n) to top and bottom

    def pick(self, which: NDArray[np.bool_] | Labels) -> _Cells:
        return _Cells(
            self.center[which],
            self.score[which],
            self.direction[which],
            self.horizontal[:, which],
            self.vertical[:, which],
        )

    @property
    def height(self) -> Doubles:
        out: Doubles = self.vertical[0] + self.vertical[1]
        return out

    @property
    def axis_point(self) -> Points:
        """The point of the line's axis that is nearest to each cell, (n,)."""
        lower = 0.5 * (self.vertical[1] - self.vertical[0])
        out: Points = self.center + 1j * self.direction * lower
        return out


@dataclass(frozen=True, slots=True)
class _Lines:
    """One rectangle per group, arrays (k,), in pixels along the direction and across it."""

    u: Points  # direction, unit length
    start: Doubles
    end: Doubles
    top: Doubles
    bottom: Doubles
    score: Doubles

    def quads(self) -> Floats:
        return distances_to_quads(
            np.zeros((len(self.u), 2)),
            np.stack([self.u.real, self.u.imag], 1),
            np.stack([-self.start, self.end], 1),
            np.stack([-self.top, self.bottom], 1),
        )


class _Groups:
    """The group of each cell, and sums and means over the cells of each group."""

    def __init__(self, labels: Labels, score: Doubles) -> None:
        self.labels = labels  # (n,), 0 to count - 1
        self.count = int(labels.max()) + 1
        self.mass = self.sum(score)
        self._score = score

    def sum(self, values: Doubles) -> Doubles:
        return np.asarray(np.bincount(self.labels, values, self.count), np.float64)

    def mean(self, values: Doubles, weights: Doubles | None = None) -> Doubles:
        """Return the means over each group. The default weights are the cells' scores."""
        if weights is None:
            return self.sum(values * self._score) / self.mass
        return self.sum(values * weights) / self.sum(weights)

    def mean_point(self, values: Points) -> Points:
        return self.mean(values.real) + 1j * self.mean(values.imag)

    def least(self, values: Doubles) -> Doubles:
        out = np.full(self.count, np.inf)
        np.minimum.at(out, self.labels, values)
        return out


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
        horizontal: (H, W, 2) distances of the cell's center to the start and end edge, input
            pixels.
        angle: (H, W, 2) cosine and sine of the reading direction, not normalized.
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
    x, y = np.asarray(angle)[rows, columns].astype(np.float64).T
    direction = x + 1j * y
    length = np.abs(direction)
    cells = _Cells(
        stride * (columns + 0.5 + 1j * (rows + 0.5)),
        1 / (1 + np.exp(-logits[rows, columns].astype(np.float64))),
        np.where(length > 1e-6, direction / np.maximum(length, 1e-6), 1.0),
        np.maximum(np.asarray(horizontal)[rows, columns].T.astype(np.float64), 0),
        np.maximum(np.asarray(vertical)[rows, columns].T.astype(np.float64), 0),
    )
    groups = components[rows, columns].astype(np.intp) - 1
    fitted, lines = _fit(cells, groups)
    mixed = _mixed(fitted, lines, groups)
    if mixed.any():
        # the original cells: the fit turned some cells into their group's direction
        cells, groups = _split(cells, groups, mixed)
        _, lines = _fit(cells, groups)
    # contradicting cells can give a rectangle whose edges are in the wrong order
    proper = (lines.end > lines.start) & (lines.bottom > lines.top)
    mass = np.bincount(groups, cells.score, len(proper))[proper]
    quads, certainty = lines.quads()[proper], lines.score[proper]
    quads, members = merge_collinear(quads, mass)
    scores = np.array([(certainty[m] * mass[m]).sum() / mass[m].sum() for m in members], np.float32)
    mass = np.array([mass[m].sum() for m in members])
    width, height = side_lengths(quads)
    fit = (height >= max(min_height_px, 1e-3)) & (width >= 1e-3)
    quads, scores, mass = quads[fit], scores[fit], mass[fit]
    kept = suppress(quads, mass, nms_iou)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    return Detections(quads[kept], scores[kept])


def _fit(cells: _Cells, labels: Labels) -> tuple[_Cells, _Lines]:
    """Return the cells, turned into their group's direction, and one rectangle per group."""
    groups = _Groups(labels, cells.score)
    cells = _agree(cells, groups)
    u = _directions(cells, groups)
    frame = u.conj()[labels]
    a, b = (cells.center * frame).real, (cells.axis_point * frame).imag
    heights = np.maximum(groups.mean(cells.height), 1e-6)
    height = heights[labels]
    # The weights fall steeply: in a long line, the many cells far from an end must not outvote the
    # few cells near it. They also fall with the place in the group, for lines whose real end no
    # cell sees.
    first, last = groups.least(a), -groups.least(-a)
    place = np.stack([a - first[labels], last[labels] - a])
    near_h = cells.score / ((1 + cells.horizontal / height) * (1 + place / height) ** 2) ** 2
    near_v = cells.score / (1 + cells.vertical / height) ** 2
    half = 0.5 * cells.height
    reach = MAX_REACH * heights
    return cells, _Lines(
        u,
        np.maximum(groups.mean(a - cells.horizontal[0], near_h[0]), first - reach),
        np.minimum(groups.mean(a + cells.horizontal[1], near_h[1]), last + reach),
        groups.mean(b - half, near_v[0]),
        groups.mean(b + half, near_v[1]),
        groups.mass / np.bincount(labels),
    )


def _agree(cells: _Cells, groups: _Groups) -> _Cells:
    """Return the cells, with the minority that reads its line backwards turned around."""
    # doubled angles: cells that see the line upside down still agree on its axis
    axis = np.exp(0.5j * np.angle(groups.mean_point(cells.direction**2)))
    along = (cells.direction * axis.conj()[groups.labels]).real
    ahead = groups.mean(np.sign(along)) >= 0
    against = (along >= 0) != ahead[groups.labels]
    if not against.any():
        return cells
    return _Cells(
        cells.center,
        cells.score,
        np.where(against, -cells.direction, cells.direction),
        np.where(against, cells.horizontal[::-1], cells.horizontal),
        np.where(against, cells.vertical[::-1], cells.vertical),
    )


def _directions(cells: _Cells, groups: _Groups) -> Points:
    """Return the direction of each group: a mean, corrected by a fit through the axis points.

    The fit is the better estimate for long lines. All cells of a group must have the same reading
    direction.
    """
    # a plain mean is more exact than a mean of doubled angles
    u = groups.mean_point(cells.direction)
    u /= np.maximum(np.abs(u), 1e-9)
    point = cells.axis_point * u.conj()[groups.labels]
    a = point.real - groups.mean(point.real)[groups.labels]
    variance = groups.mean(a * a)
    slope = groups.mean(a * point.imag) / np.maximum(variance, 1e-9)
    # a run of evenly spread cells is sqrt(12) standard deviations long
    long = np.sqrt(12 * variance) > MIN_ASPECT_TO_FIT * groups.mean(cells.height)
    slope = np.where(long & (np.bincount(groups.labels) > 2), np.clip(slope, -0.2, 0.2), 0)
    turned: Points = u * (1 + 1j * slope)
    turned /= np.abs(turned)
    return turned


def _mixed(cells: _Cells, lines: _Lines, groups: Labels) -> NDArray[np.bool_]:
    """Tell which groups have many cells that describe another line than the group's line."""
    denied = np.bincount(groups, cells.score * _disagrees(cells, lines, groups), len(lines.score))
    whole = np.bincount(groups, cells.score, len(lines.score))
    return np.asarray(denied > MAX_STRAY * whole, np.bool_)


def _split(cells: _Cells, groups: Labels, mixed: NDArray[np.bool_]) -> tuple[_Cells, Labels]:
    """Divide the groups marked as mixed. Their stray cells are dropped."""
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
    """Tell which cells describe another line than their group's line."""
    frame = lines.u.conj()[groups]
    height = np.maximum(lines.bottom - lines.top, 1e-6)[groups]
    turned = (cells.direction * frame).real < np.cos(MAX_TURN_RAD)
    middle = 0.5 * (lines.top + lines.bottom)
    offset = np.abs((cells.axis_point * frame).imag - middle[groups])
    a = (cells.center * frame).real
    # only the nearer of start and end is regressed precisely enough for a comparison
    start = np.abs(a - cells.horizontal[0] - lines.start[groups])
    end = np.abs(a + cells.horizontal[1] - lines.end[groups])
    edge = np.where(cells.horizontal[0] < cells.horizontal[1], start, end)
    loose = np.maximum(height, 0.5 * cells.horizontal.min(0))
    out: NDArray[np.bool_] = turned | (offset > MAX_OFFSET * height) | (edge > loose)
    return out


def _parts(cells: _Cells) -> list[Labels]:
    """Divide the cells of one component by direction, then across the lines, then along them."""
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
        along = (cells.direction[members] * cells.direction[seed].conj()).real
        same = np.abs(along) > np.cos(MAX_TURN_RAD)
        if cells.score[members[same]].sum() > least:
            parts.append(members[same])
        members = members[~same]
    return parts


def _by_axis(cells: _Cells, members: Labels) -> list[Labels]:
    """Divide between two lines, at a position across them with hardly any axis points."""
    picked = cells.pick(members)
    whole = _Groups(np.zeros(len(members), np.intp), picked.score)
    # the plain mean direction: a fit through the axis points of two lines has no meaning
    [u] = whole.mean_point(_agree(picked, whole).direction)
    b = (picked.axis_point * (u.conjugate() / max(abs(u), 1e-9))).imag
    order = np.argsort(b)
    b, mass = b[order], np.concatenate([[0.0], np.cumsum(picked.score[order])])
    window = 0.15 * float(whole.mean(picked.height)[0])
    cuts = 0.5 * (b[1:] + b[:-1])
    inside = mass[np.searchsorted(b, cuts + window)] - mass[np.searchsorted(b, cuts - window)]
    # both sides must hold more than stray cells
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
    picked = cells.pick(members)
    whole = _Groups(np.zeros(len(members), np.intp), picked.score)
    picked = _agree(picked, whole)
    [u] = _directions(picked, whole)
    a = (picked.center * u.conjugate()).real
    starts, ends = a - picked.horizontal[0], a + picked.horizontal[1]
    height = float(whole.mean(picked.height)[0])
    cuts = np.arange(a.min(), a.max(), 0.25 * max(height, 1.0))[1:, None]  # (m, 1)
    near, before = np.abs(a - cuts) < 1.5 * height, a < cuts  # (m, n)
    left, right = near & before, near & ~before
    ending = (left & (ends < cuts + 0.5 * height)) @ picked.score
    starting = (right & (starts > cuts - 0.5 * height)) @ picked.score
    sure = 1 - MAX_SPANNING
    here = (ending > sure * (left @ picked.score)) & (starting > sure * (right @ picked.score))
    if not here.any():
        return [members]
    # neighboring positions describe the same gap: take the middle of each run
    positions = np.flatnonzero(here)
    runs = np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1)
    edges = np.array([cuts[run, 0].mean() for run in runs])
    side = np.searchsorted(edges, 0.5 * (starts + ends))
    return [members[side == i] for i in range(len(edges) + 1) if (side == i).any()]
