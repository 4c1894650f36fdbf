"""Read line crops with the line graph.

Crops are padded to a few widths, so the interpreter is set up for a few shapes only. Crops run one
by one, because on CPUs a batch saves no time and needs more memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from sdk.charset import Charset
from sdk.engine import Engine
from sdk.image.load import ImageArray
from sdk.recognize.decoder import LineText, TextDecoder
from sdk.recognize.options import ReadOptions
from sdk.rectify.crop import pad_crops

__all__ = ["COLUMN_PX", "CropRecognizer"]

COLUMN_PX = 4
"""Pixels of a line crop per column of logits."""


class CropRecognizer:
    """Reads line crops with the line graph."""

    def __init__(self, engine: Engine, decoder: TextDecoder, widths: Sequence[int]) -> None:
        """Prepare the reading.

        Args:
            engine: The line graph, from line crops to logits.
            decoder: Decodes the logits.
            widths: Widths in pixels to which crops are padded, ascending.
        """
        self._engine = engine
        self._decoder = decoder
        self._widths = tuple(widths)

    @property
    def charset(self) -> Charset:
        """Characters of the classes."""
        return self._decoder.charset

    @property
    def max_width(self) -> int:
        """Width in pixels of the widest line crop."""
        return self._widths[-1]

    def width_for(self, wanted: int, squeeze: float) -> int:
        """Return the largest width in pixels for a line crop.

        The next width of the graph takes twice as long. A crop that is slightly too wide for one
        width is therefore squeezed into it.

        Args:
            wanted: Natural width of the crop in pixels.
            squeeze: Largest factor, 1 and up, by which the crop may become narrower. A crop that is
                too wide for every width becomes narrower still.
        """
        fitting = bisect_left(self._widths, wanted / squeeze)
        return self._widths[min(fitting, len(self._widths) - 1)]

    def read(self, crop: ImageArray, options: ReadOptions) -> LineText:
        """Return the text of a line crop.

        Args:
            crop: uint8 RGB (32, w, 3), w at most `max_width`.
            options: Options of decoding.
        """
        taken = crop.shape[1]
        width = self._widths[bisect_left(self._widths, taken)]
        logits = self._engine.run({"strip": pad_crops([crop], width)})["logits"]
        return self._decoder.decode(logits[0, 0, : -(-taken // COLUMN_PX)], options)
