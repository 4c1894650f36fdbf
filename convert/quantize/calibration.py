"""Calibration data of the integer graphs.

Post-training quantization takes the range of every activation from these samples (Jacob et al.
2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference"). The samples are made like the inputs in the SDK: letterboxed photos, line images padded
by their last column, and the features of lines, cropped by RoIRotate from the float detector's
features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError
from convert.source.line_features import line_features
from convert.source.samples import PhotoSample, Samples
from sdk.rectify.crop import pad_crops

__all__ = ["calibration_file"]


def calibration_file(
    name: str, shape: tuple[int, int, int, int], samples: Samples, detector: Any, path: Path
) -> int:
    """Write the calibration samples of a graph as a .npy file.

    Args:
        name: ``"detector"``, ``"recognizer"`` or ``"line"``.
        shape: Input shape of the graph, (1, height, width, channels).
        samples: Photos and line images.
        detector: The float detector; required for the recognizer only.
        path: The file, (count, height, width, channels): uint8 pixels or float32 features.

    Returns:
        Number of samples.

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
        # the end of longer lines is dropped, because their scale must not change
        trimmed = [line.pixels[:, : shape[2]] for line in samples.lines]
        items = iter(pad_crops(trimmed, shape[2]))
        dtype = np.uint8
    kept = list(items)
    if not kept:
        needed = {
            "detector": "photos",
            "recognizer": "photos with labeled lines",
            "line": "line images, or photos with labeled lines",
        }
        raise ConvertError(
            f"No calibration sample for the {name} graph: it needs {needed[name]}. "
            "Give generated shards with --calibration, or leave the option out."
        )
    data = np.lib.format.open_memmap(path, "w+", dtype, (len(kept), *shape[1:]))
    for row, item in zip(data, kept, strict=True):
        row[:] = item
    data.flush()
    return len(kept)


def _feature_samples(
    photos: Iterable[PhotoSample], detector: Any, columns: int
) -> Iterator[np.ndarray]:
    for photo in photos:
        if len(photo.quads):
            features = np.asarray(detector(photo.frame[None], training=False)["features"][0])
            # two lines of each photo: more photos are better than more lines of one photo
            yield from line_features(features, photo.quads[:2], columns)[0]
