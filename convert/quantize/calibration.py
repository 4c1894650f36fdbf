"""Calibration data of the integer graphs: what each input really sees.

Post-training quantization takes the range of every activation from these samples (Jacob et al.
2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference"), so they are made the way the SDK makes its inputs: letterboxed photos, strips padded by
their last column, and feature strips that RoIRotate cuts out of the float detector's features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError
from convert.source.line_features import feature_strips
from convert.source.samples import Photo, Samples
from sdk.rectify.crop import pad_crops

__all__ = ["calibration_file"]


def calibration_file(
    name: str, shape: tuple[int, int, int, int], samples: Samples, detector: Any, path: Path
) -> int:
    """Write the calibration samples of a graph as a .npy file.

    Args:
        name: ``"detector"``, ``"recognizer"`` or ``"line"``.
        shape: Input shape of the graph, (1, height, width, channels).
        samples: Photos and strips.
        detector: The float detector; only the recognizer needs it.
        path: The file to write: (count, height, width, channels), uint8 pixels or float32 features.

    Returns:
        The number of samples written.

    Raises:
        ConvertError: There is no sample for the graph.
    """
    if name == "recognizer":
        items = _feature_samples(samples.photos, detector, shape[2])
        dtype: type = np.float32
    elif name == "detector":
        items = iter([photo.frame for photo in samples.photos])
        dtype = np.uint8
    else:
        # What is longer loses its end: its scale must not change.
        cut = [strip.pixels[:, : shape[2]] for strip in samples.strips]
        items = iter(pad_crops(cut, shape[2]))
        dtype = np.uint8
    kept = list(items)
    if not kept:
        needed = {
            "detector": "photos",
            "recognizer": "photos with labelled lines",
            "line": "line strips, or photos with labelled lines",
        }
        raise ConvertError(
            f"No calibration sample for the {name} graph: it needs {needed[name]}. "
            "Give generated shards with --calibration, or leave it out to draw some."
        )
    data = np.lib.format.open_memmap(path, "w+", dtype, (len(kept), *shape[1:]))
    for row, item in zip(data, kept, strict=True):
        row[:] = item
    data.flush()
    return len(kept)


def _feature_samples(photos: Iterable[Photo], detector: Any, columns: int) -> Iterator[np.ndarray]:
    for photo in photos:
        if len(photo.quads):
            features = np.asarray(detector(photo.frame[None], training=False)["features"][0])
            # Two lines of each photo: more photos say more than more lines of one.
            yield from feature_strips(features, photo.quads[:2], columns)[0]
