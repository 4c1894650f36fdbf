"""Read small and doubtful lines of a photo again, from the photo's own pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.geometry import reverse
from sdk.image.load import ImageArray
from sdk.image.strip import expand_quad, rectify
from sdk.model.settings import DecodeSettings
from sdk.results import TextLine
from sdk.stages.look import Look, to_result
from sdk.stages.read import LineReader, ReadOptions
from sdk.stages.vote import Part, elect

Floats = NDArray[np.float32]

__all__ = ["Recheck", "strip_area"]

# Cuts of a found line that vote where it reads badly, most useful first: boxes are often a little
# too tight or too loose.
PARTS = (
    Part(-0.1, 1.1, 0.15),
    Part(side=0.1, stretch=1.2),
    Part(0.06, 0.94),
    Part(side=0.1, stretch=0.85),
)


def strip_area(quad: Floats, settings: DecodeSettings) -> Floats:
    """Return what of a photo is cut out to read a found line, float32 (4, 2)."""
    return expand_quad(quad, settings.strip_margin, settings.strip_side)


class Recheck:
    """Second looks at the lines of one photo."""

    def __init__(
        self,
        lines: LineReader,
        settings: DecodeSettings,
        pixels: ImageArray,
        options: ReadOptions,
        each: Callable[..., Any] = map,
    ) -> None:
        """Remember what to read and how.

        Args:
            lines: Reads strips.
            settings: When to look again.
            pixels: uint8 RGB (H, W, 3), the photo.
            options: How to decode.
            each: Applies a function to each line, in turn or several at a time.
        """
        self._lines = lines
        self._settings = settings
        self._pixels = pixels
        self._options = options
        self._each = each

    def read(self, first: list[Look]) -> list[TextLine]:
        """Return the lines, each as it reads best.

        Args:
            first: What was read from the detector's features; without text where nothing was.
        """
        settings = self._settings
        taken = list(self._each(self._upright, first))
        doubtful = [
            i for i, (best, _) in enumerate(taken) if best.confidence < settings.flip_confidence
        ][: settings.max_flips]
        turned = self._each(self._turned, [first[i] for i in doubtful])
        for i, look in zip(doubtful, turned, strict=True):
            best, fitted = taken[i]
            won = look.confidence > best.confidence + settings.flip_gain
            taken[i] = look if won else best, self._fitted([fitted or look, look])
        return [to_result(best, fitted, settings.pattern_ratio) for best, fitted in taken]

    def _fitted(self, looks: list[Look]) -> Look | None:
        """Return the look whose text fits the pattern best; None without a pattern."""
        if self._options.automaton is None:
            return None
        return max(looks, key=lambda look: look.fit_probability)

    def _hopeless(self, looks: list[Look]) -> bool:
        """Tell whether a line reads so badly that more looks would only cost time.

        A pattern may still fit one of them.
        """
        best = max(look.confidence for look in looks)
        return self._options.automaton is None and best < self._settings.min_confidence

    def _upright(self, first: Look) -> tuple[Look, Look | None]:
        """Return the best look at a line as it was found, and the one that fits best."""
        settings, looks, area = self._settings, [first], self._area(first)
        small = first.found.height_px < settings.recheck_height_px
        if not small and first.confidence >= settings.recheck_confidence:
            return first, self._fitted(looks)
        looks.append(self._look(first, first.found.quad, area))
        best = max(looks, key=lambda look: look.confidence)
        if best.confidence >= settings.recheck_confidence:
            return best, self._fitted(looks)

        def more() -> Iterator[Look]:
            # the surer one first: a low `vote_lead` may end the election there
            taken = sorted(looks, key=lambda look: look.confidence, reverse=True)
            yield from (look for look in taken if look.text.free.text)
            for part in PARTS:
                looks.append(self._look(first, first.found.quad, part.cut(area), part.stretch))
                yield looks[-1]
                if self._hopeless(looks):
                    return

        best = elect(more(), settings.vote_lead)
        return best, self._fitted(looks)

    def _turned(self, first: Look) -> Look:
        """Return a look at a line read the other way round."""
        return self._look(first, reverse(first.found.quad), reverse(self._area(first)))

    def _area(self, first: Look) -> Floats:
        return strip_area(first.found.quad, self._settings)

    def _look(self, line: Look, quad: Floats, area: Floats, stretch: float = 1.0) -> Look:
        strip = rectify(self._pixels, area, self._lines.max_width, stretch)
        text = self._lines.read_strip(strip, self._options)
        return replace(line, quad=quad, area=area, text=text)
