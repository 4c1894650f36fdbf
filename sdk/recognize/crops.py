"""Read line crops with the line graph.

Crops are padded to a few widths, so that the interpreter is set up for a few shapes only. They run
one by one: on CPUs a batch takes as long as its lines do, and more memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from sdk.engine import Engine
from sdk.image.load import ImageArray
from sdk.recognize.decoder import LineText, TextDecoder
from sdk.recognize.options import ReadOptions
from sdk.rectify.crop import pad_crops

__all__ = ["COLUMN_PX", "CropRecognizer"]

COLUMN_PX = 4
"""Pixels of a line crop per column of logits."""


class CropRecognizer:
    """From a line crop to its text."""

    def __init__(self, engine: Engine, decoder: TextDecoder, widths: Sequence[int]) -> None:
        """Prepare the reading.

        Args:
            engine: The line graph, from line crops to logits.
            decoder: Decodes its logits.
            widths: Ascending widths that crops are padded to, pixels.
        """
        self._engine = engine
        self._decoder = decoder
        self._widths = tuple(widths)

    @property
    def max_width(self) -> int:
        """Width in pixels of the widest line crop."""
        return self._widths[-1]

    def width_for(self, wanted: int, squeeze: float) -> int:
        """Return the most pixels that a line crop's width should have.

        The next width of the graph takes twice as long: a crop that is a little too wide for one
        width is better squeezed into it.

        Args:
            wanted: The crop's own width in pixels.
            squeeze: How many times narrower the crop may become. A crop that is too wide for any
                width becomes narrower than that.
        """
        fitting = bisect_left(self._widths, wanted / squeeze)
        return self._widths[min(fitting, len(self._widths) - 1)]

    def read(self, crop: ImageArray, options: ReadOptions) -> LineText:
        """Return the text of a line crop.

        Args:
            crop: uint8 RGB (32, w, 3), w at most `max_width`.
            options: How to decode.
        """
        taken = crop.shape[1]
        width = self._widths[bisect_left(self._widths, taken)]
        logits = self._engine.run({"strip": pad_crops([crop], width)})["logits"]
        return self._decoder.decode(logits[0, 0, : -(-taken // COLUMN_PX)], options)
