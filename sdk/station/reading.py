"""The reading of a product: each field by its reader, joined to one reading of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np

from sdk.image.load import ImageArray
from sdk.live.loop import FrameReader
from sdk.results import Reading, Timing
from sdk.station.job import Job

__all__ = ["read_product"]


def read_product(readers: Sequence[FrameReader], image: ImageArray, job: Job) -> Reading:
    """Return the reading of a picture by a job, the lines field by field.

    Args:
        readers: A reader for each of the job's `parts`.
        image: uint8 RGB (H, W, 3).
        job: The job.

    Raises:
        SdkError: A field cannot be read.
    """
    readings = [
        # an inspection reads what is printed: misprinted words are not mended, lines stay whole
        reader.read(
            image,
            region=part.region,
            min_confidence=part.noise_confidence,
            words=False,
            cells=False,
        )
        for reader, part in zip(readers, job.parts, strict=True)
    ]
    first, *others = readings
    return _joined(readings) if others else first


def _joined(readings: Sequence[Reading]) -> Reading:
    def names(values: Sequence[str]) -> str:
        return ", ".join(dict.fromkeys(values))

    return replace(
        readings[0],
        lines=tuple(line for reading in readings for line in reading),
        timing=Timing(*np.sum([astuple(reading.timing) for reading in readings], axis=0).tolist()),
        model=names([reading.model for reading in readings]),
        device=names([reading.device for reading in readings]),
        notes=tuple(dict.fromkeys(note for reading in readings for note in reading.notes)),
    )
