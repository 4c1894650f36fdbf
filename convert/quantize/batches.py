"""Batches to tune on, much as the SDK makes the inputs of each graph. No labels are needed.

The batch of a step depends only on the seed, the step and the samples, so that a resumed tuning
sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convert.errors import ConvertError
from convert.source.line_features import feature_strips
from convert.source.samples import Photo, Samples, Strip
from sdk.detect.maps import decode_maps
from sdk.model.settings import DecodeSettings
from sdk.rectify.crop import expand_quad, pad_crops, rectify

__all__ = [
    "Batch",
    "Maker",
    "Run",
    "crops",
    "feature_pairs",
    "feature_rows",
    "strip_rows",
    "strips_of",
]

Batch = tuple[np.ndarray, np.ndarray]
"""What the float network gets and what the quantized one gets."""

Maker = Callable[[np.random.Generator], Batch]
Run = Callable[[np.ndarray], dict[str, np.ndarray]]

_LINES_A_PHOTO = 6
# Of strips, a few of those that the SDK pads to.
_WIDTHS = (64, 128, 256, 384, 512)


def crops(photos: Sequence[Photo], side: int, batch: int) -> Maker:
    """Return a maker of detector batches: crops (batch, side, side, 3), uint8, twice."""
    frames = _some([photo.frame for photo in photos], "photos")

    def make(rng: np.random.Generator) -> Batch:
        cut = []
        for index in rng.integers(len(frames), size=batch):
            frame = frames[index]
            top, left = (int(rng.integers(max(1, n - side + 1))) for n in frame.shape[:2])
            cut.append(frame[top : top + side, left : left + side])
        x = np.stack(cut)
        return x, x

    return make


def strips_of(samples: Samples, find: Run | None) -> list[Strip]:
    """Return the strips of samples, or if there are none those of the lines in their photos.

    They are cut out of the frame, not like the SDK's out of the photo: those of large photos are
    softer.

    Args:
        samples: Photos, labelled or not, and strips.
        find: Runs the float detector on (1, H, W, 3) to find the lines of unlabelled photos.
    """
    if samples.strips:
        return list(samples.strips)
    margins = DecodeSettings().recognize
    return [
        Strip(
            rectify(
                photo.frame,
                expand_quad(quad, margins.crop_margin, margins.crop_side),
                _WIDTHS[-1],
            ),
            None,
        )
        for photo in samples.photos
        for quad in _quads(photo, find)
    ]


def strip_rows(strips: Sequence[Strip], pixels: int) -> Maker:
    """Return a maker of line batches: strips (n, 32, W, 3) of one width, uint8, twice.

    Args:
        strips: Strips of any width; what is longer than the greatest width loses its end.
        pixels: Columns of a batch: n is this by W.
    """
    found = _some(strips, "line strips, or photos with lines in them")
    lengths = [strip.pixels.shape[1] for strip in found]
    at = np.minimum(np.searchsorted(_WIDTHS, lengths), len(_WIDTHS) - 1)

    def make(rng: np.random.Generator) -> Batch:
        group = at[rng.integers(len(found))]  # each width as often as strips have it
        width = _WIDTHS[group]
        chosen = rng.choice(np.flatnonzero(at == group), max(1, pixels // width))
        x = pad_crops([found[i].pixels[:, :width] for i in chosen], width)
        return x, x

    return make


def feature_rows(
    photos: Sequence[Photo], float_detector: Run, detector: Run, columns: int
) -> list[Batch]:
    """Return the lines of each photo as the recognizer gets them.

    Args:
        photos: Photos, labelled or not; lines of unlabelled ones are found.
        float_detector: Runs the float detector on (1, H, W, 3).
        detector: Runs the detector whose features the quantized recognizer will read.
        columns: Columns of a strip.

    Returns:
        Pairs of float32 (n, 8, columns, C): from the float features, from the other's.
    """
    rows = []
    for photo in photos:
        quads = _quads(photo, float_detector)[:_LINES_A_PHOTO]
        if len(quads):
            maps = (run(photo.frame[None]) for run in (float_detector, detector))
            want, have = (feature_strips(m["features"][0], quads, columns)[0] for m in maps)
            rows.append((want, have))
    return rows


def feature_pairs(rows: Sequence[Batch], batch: int) -> Maker:
    """Return a maker of recognizer batches: pairs of strips of the same lines."""
    found = _some(rows, "photos with lines in them")
    want, have = (np.concatenate(part) for part in zip(*found, strict=True))

    def make(rng: np.random.Generator) -> Batch:
        chosen = rng.integers(len(want), size=batch)
        return want[chosen], have[chosen]

    return make


def _some(items: Sequence[Any], what: str) -> Sequence[Any]:
    if not items:
        raise ConvertError(f"Nothing to tune on: it needs {what}. Give folders with --photos.")
    return items


def _quads(photo: Photo, find: Run | None) -> np.ndarray:
    """Return the labelled lines of a photo, or those that the detector finds in it."""
    if len(photo.quads) or find is None:
        return photo.quads
    maps = find(photo.frame[None])
    names = ("score", "vertical", "horizontal", "angle")
    return decode_maps(*(maps[name][0] for name in names)).quads
