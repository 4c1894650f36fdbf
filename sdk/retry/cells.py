"""Cells: a line of a table or a receipt is divided at its wide gaps.

The detector joins what stands in one row, such as an article and its price. Within a text the
middles of neighboring characters have similar distances, and a word space is one more character of
this pitch. A wider gap separates two texts.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from sdk.geometry import side_lengths, slice_quads
from sdk.model.settings import CellSettings
from sdk.recognize.crops import COLUMN_PX
from sdk.recognize.ctc import CtcText
from sdk.recognize.decoder import LineText
from sdk.retry.candidate import Candidate, Floats

__all__ = ["cells"]


def cells(line: Candidate, settings: CellSettings) -> list[Candidate]:
    """Return the texts that wide gaps separate, in the order of reading.

    Args:
        line: The candidate that was chosen for a line.
        settings: Which gaps are wide.

    Returns:
        A candidate for each cell. Its box, area, columns and crop are parts of those of the line.
        The line itself if it has no wide gap.
    """
    text = line.text.free
    seen = [i for i, c in enumerate(text.text) if not c.isspace()]
    middles = np.array([text.spans[i] for i in seen], np.float64).reshape(-1, 2).mean(1)
    if len(seen) < 3 or not settings.pitches:
        return [line]
    steps = np.diff(middles)
    pitch = float(np.median(steps))
    column_px = float(side_lengths(line.area)[0]) / text.columns
    height = float(side_lengths(line.box)[1]) / max(column_px, 1e-6)
    spaced = np.diff(seen) > 1  # the network has read a space
    wide = spaced & (steps > max(settings.pitches * pitch, settings.heights * height))
    cuts = [0, *(np.flatnonzero(wide) + 1).tolist(), len(seen)]
    if len(cuts) == 2:
        return [line]
    parts = []
    for first, end in pairwise(cuts):
        # the outermost cells keep the margins of the line
        start = middles[first] - pitch if first else 0
        stop = middles[end - 1] + pitch if end < len(seen) else text.columns
        chars = slice(seen[first], seen[end - 1] + 1)
        parts.append(_part(line, chars, max(0, round(start)), min(text.columns, round(stop))))
    return parts


def _part(line: Candidate, chars: slice, start: int, stop: int) -> Candidate:
    """Return a part of a candidate: characters, and the columns from `start` to `stop`."""
    text = line.text.free
    part = CtcText(
        text.text[chars],
        text.confidences[chars],
        tuple((a - start, b - start) for a, b in text.spans[chars]),
        stop - start,
        text.ids[chars],
        text.foreign[chars],
    )
    shares = np.array([start / text.columns, stop / text.columns], np.float32)
    return replace(
        line,
        box=_along(line.box, line.area, shares),
        area=slice_quads(line.area, shares[:1], shares[1:])[0],
        text=LineText(part, line.text.log_probs[start:stop]),
        crop=None if line.crop is None else line.crop[:, start * COLUMN_PX : stop * COLUMN_PX],
    )


def _along(box: Floats, area: Floats, shares: Floats) -> Floats:
    """Return the part of a box that lies beside a part of the area around the box."""
    start, end = area[[0, 3]].mean(0), area[[1, 2]].mean(0)
    points = start + shares[:, None] * (end - start)
    origin, axis = box[[0, 3]].mean(0), box[[1, 2]].mean(0) - box[[0, 3]].mean(0)
    at = np.clip((points - origin) @ axis / max(float(axis @ axis), 1e-6), 0, 1)
    # an outermost cell reaches to the end of the box, wherever the area ends
    at = np.where(shares <= 0, 0.0, np.where(shares >= 1, 1.0, at))
    part: Floats = slice_quads(box, at[:1], at[1:])[0]
    return part
