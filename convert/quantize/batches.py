"""Batches for tuning, made like the inputs of each graph in the SDK, without labels.

The batch of a step depends only on the seed, the step and the samples, so that a resumed tuning
sees the batches of an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convert.errors import ConvertError
from convert.source.line_features import line_features
from convert.source.samples import LineSample, PhotoSample, Samples
from sdk.detect.maps import decode_maps
from sdk.model.settings import DecodeSettings
from sdk.rectify.crop import expand_quad, pad_crops, rectify

__all__ = [
    "Batch",
    "BatchMaker",
    "GraphRunner",
    "crop_batches",
    "feature_batches",
    "line_batches",
    "lines_of",
    "paired_features",
]

Batch = tuple[np.ndarray, np.ndarray]
"""Input of the float network (teacher) and input of the QAT model (student)."""

BatchMaker = Callable[[np.random.Generator], Batch]
GraphRunner = Callable[[np.ndarray], dict[str, np.ndarray]]

_LINES_A_PHOTO = 6
# Widths of line images in px: a few of the SDK's frame widths.
_WIDTHS = (64, 128, 256, 384, 512)


def crop_batches(photos: Sequence[PhotoSample], side: int, batch: int) -> BatchMaker:
    """Return a maker of detector batches: crops (batch, side, side, 3), uint8, for both."""
    frames = _some([photo.frame for photo in photos], "photos")

    def make(rng: np.random.Generator) -> Batch:
        cropped = []
        for index in rng.integers(len(frames), size=batch):
            frame = frames[index]
            top, left = (int(rng.integers(max(1, n - side + 1))) for n in frame.shape[:2])
            cropped.append(frame[top : top + side, left : left + side])
        x = np.stack(cropped)
        return x, x

    return make


def lines_of(samples: Samples, find: GraphRunner | None) -> list[LineSample]:
    """Return the line images of samples, or without any, crops of the lines in their photos.

    Lines are cropped from the frame, unlike in the SDK, which crops them from the photo: lines of
    large photos have less detail.

    Args:
        samples: Photos, with or without labels, and line images.
        find: Runs the float detector on (1, H, W, 3), to detect the lines of unlabeled photos.
    """
    if samples.lines:
        return list(samples.lines)
    margins = DecodeSettings().recognize
    return [
        LineSample(
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


def line_batches(lines: Sequence[LineSample], pixels: int) -> BatchMaker:
    """Return a maker of line batches: (n, 32, W, 3) of one width, uint8, for both networks.

    Args:
        lines: Line images of any width; the part beyond the greatest width is dropped.
        pixels: Pixel columns of a batch: n = pixels // W.
    """
    found = _some(lines, "line images, or photos with lines")
    lengths = [line.pixels.shape[1] for line in found]
    at = np.minimum(np.searchsorted(_WIDTHS, lengths), len(_WIDTHS) - 1)

    def make(rng: np.random.Generator) -> Batch:
        group = at[rng.integers(len(found))]  # widths have the frequency of their line images
        width = _WIDTHS[group]
        chosen = rng.choice(np.flatnonzero(at == group), max(1, pixels // width))
        x = pad_crops([found[i].pixels[:, :width] for i in chosen], width)
        return x, x

    return make


def paired_features(
    photos: Sequence[PhotoSample], float_detector: GraphRunner, detector: GraphRunner, columns: int
) -> list[Batch]:
    """Return the features of each photo's lines, for both networks.

    Args:
        photos: Photos, with or without labels; lines of unlabeled photos are detected.
        float_detector: Runs the float detector on (1, H, W, 3).
        detector: Runs the detector whose features the quantized recognizer will read.
        columns: Columns of a line's features.

    Returns:
        Pairs of float32 (n, 8, columns, C): features of the float detector and of the other one.
    """
    rows = []
    for photo in photos:
        quads = _quads(photo, float_detector)[:_LINES_A_PHOTO]
        if len(quads):
            maps = (run(photo.frame[None]) for run in (float_detector, detector))
            want, have = (line_features(m["features"][0], quads, columns)[0] for m in maps)
            rows.append((want, have))
    return rows


def feature_batches(rows: Sequence[Batch], batch: int) -> BatchMaker:
    """Return a maker of recognizer batches: pairs of features of the same lines."""
    found = _some(rows, "photos with lines")
    want, have = (np.concatenate(part) for part in zip(*found, strict=True))

    def make(rng: np.random.Generator) -> Batch:
        chosen = rng.integers(len(want), size=batch)
        return want[chosen], have[chosen]

    return make


def _some(items: Sequence[Any], what: str) -> Sequence[Any]:
    if not items:
        raise ConvertError(
            f"No samples to tune on: {what} are required. Give folders with --photos."
        )
    return items


def _quads(photo: PhotoSample, find: GraphRunner | None) -> np.ndarray:
    """Return the labeled lines of a photo, or without labels, the detected lines."""
    if len(photo.quads) or find is None:
        return photo.quads
    maps = find(photo.frame[None])
    names = ("score", "vertical", "horizontal", "angle")
    return decode_maps(*(maps[name][0] for name in names)).quads
