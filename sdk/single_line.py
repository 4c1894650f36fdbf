"""Reading of pictures of one line, with the interface of `Reader.read`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sdk.image.load import load_picture
from sdk.region import Region, moved
from sdk.results import Reading, Timing

if TYPE_CHECKING:
    from sdk.image.load import ImageSource
    from sdk.reader import Reader
    from sdk.recognize.pattern.automaton import Pattern

__all__ = ["SingleLines"]


class SingleLines:
    """Reads by `Reader.read_line`, and returns a `Reading` like `Reader.read`."""

    def __init__(self, reader: Reader) -> None:
        """Prepare the reading.

        Args:
            reader: Reads the pictures. The caller closes the reader.
        """
        self._reader = reader

    def read(
        self,
        image: ImageSource,
        *,
        min_confidence: float | None = None,
        charset: str | None = None,
        pattern: Pattern | Sequence[Pattern] | None = None,
        region: Sequence[float] | None = None,
        words: bool = True,
        cells: bool = True,
    ) -> Reading:
        """Return a reading with one line that fills the picture or region, or without a line.

        Args:
            image: As for `Reader.read`.
            min_confidence: A line with a lower confidence is left out, 0..1. None keeps the line.
            charset: As for `Reader.read_line`.
            pattern: As for `Reader.read_line`.
            region: Part of the picture that shows the line, as for `Reader.read`.
            words: As for `Reader.read_line`.
            cells: Without effect: a picture of one line stays whole.

        Raises:
            SdkError: The picture cannot be read, see `Reader.read_line`.
        """
        picture = load_picture(image)
        started = time.perf_counter()
        pixels, corner = Region.of((0, 0, 1, 1) if region is None else region).cut(picture.pixels)
        line = self._reader.read_line(pixels, charset=charset, pattern=pattern, words=words)
        recognize_ms = 1e3 * (time.perf_counter() - started)
        height, width = picture.pixels.shape[:2]
        about = self._reader.describe()
        reading = Reading(
            lines=(moved(line, *corner),) if line.text.strip() else (),
            width=width,
            height=height,
            timing=Timing(
                load_ms=picture.load_ms,
                recognize_ms=recognize_ms,
                total_ms=picture.load_ms + recognize_ms,
            ),
            model=f"{about['model']} {about['version']}",
            device=about["device"],
            page=picture.page,
            notes=picture.notes,
        )
        return reading.filter(min_confidence or 0.0)
