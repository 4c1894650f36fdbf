"""The order in which a person would read the lines of a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.geometry import angle, side_lengths

__all__ = ["reading_order"]

# Least vertical overlap of two lines in one row, as a share of the lower line's height.
SAME_ROW = 0.5


def reading_order(quads: ArrayLike) -> NDArray[np.intp]:
    """Return the reading order of lines: row by row, along each row.

    Rows follow the main direction of the text. A picture taken sideways or upside down therefore
    has the same order as an upright picture.

    Args:
        quads: (n, 4, 2) pixels.

    Returns:
        int (n,), indices of the lines in reading order.
    """
    q = np.asarray(quads, np.float64).reshape(-1, 4, 2)
    if not len(q):
        return np.zeros(0, np.intp)
    turn = _main_direction(angle(q).astype(np.float64), side_lengths(q)[0].astype(np.float64))
    u = np.array([np.cos(turn), np.sin(turn)])
    along, across = q @ u, q @ np.array([-u[1], u[0]])
    middle, start = across.mean(1), along.min(1)
    # half the line's own height: the vertical extent of a slanted line would reach other rows
    half = 0.5 * side_lengths(q)[1]
    rows: list[list[int]] = []
    for i in np.argsort(middle, kind="stable").tolist():
        for row in reversed(rows[-3:]):
            if any(_overlaps(middle[i], half[i], middle[k], half[k]) for k in row):
                row.append(i)
                break
        else:
            rows.append([i])
    rows.sort(key=lambda row: float(np.mean(middle[row])))
    ordered = [i for row in rows for i in sorted(row, key=lambda i: float(start[i]))]
    return np.array(ordered, np.intp)


def _main_direction(angles: NDArray[np.float64], widths: NDArray[np.float64]) -> float:
    """Return the mean direction of the lines in the quarter circle with the most text."""
    quarter = np.round(angles / (np.pi / 2)).astype(int) % 4
    best = int(np.bincount(quarter, widths, 4).argmax())
    chosen = quarter == best
    mean = np.arctan2(
        widths[chosen] @ np.sin(angles[chosen]), widths[chosen] @ np.cos(angles[chosen])
    )
    return float(mean)


def _overlaps(middle: float, half: float, other: float, other_half: float) -> bool:
    shared = min(middle + half, other + other_half) - max(middle - half, other - other_half)
    return shared > SAME_ROW * 2 * min(half, other_half)
