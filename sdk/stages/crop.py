"""Read a picture that shows a single line: turned, zoomed, as it reads best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from sdk.image.arch import Arch, unbend
from sdk.image.load import ImageArray
from sdk.image.strip import fit_strip, rectify
from sdk.model.settings import DecodeSettings
from sdk.stages.find import FoundLine
from sdk.stages.helpers import Helpers
from sdk.stages.look import Look
from sdk.stages.read import LineReader, ReadOptions
from sdk.stages.vote import WHOLE, Part, elect

__all__ = ["CropReader"]

# So many quarter turns to the left, and then what of the crop is read.
Key = tuple[int, Part | Arch]

# A crop this many times higher than wide holds a line that runs upwards or downwards, unless it
# is a single narrow character.
TALL = 1.5
SINGLE_CHARACTER = 3.0

# What of a crop is read where the whole reads badly, most useful first. The line may stand in a
# part of the height or climb through it, as words on signs do, characters may touch the edges, and
# each cut errs in its own way.
PARTS = (
    Part(side=0.1),
    Part(0.1, 0.9),
    Part(side=0.15, stretch=1.25),
    Part(0.2, 0.8),
    Part(side=0.15, stretch=0.9),
    Part(0.25, 0.95),
    Part(0.15, 1.0),
    Part(0.3, 0.8),
    Part(0.3, 1.0),
    Part(rise=0.3),
    Part(rise=-0.3),
    Part(rise=0.5),
    Part(rise=-0.5),
)

# Lines shorter than this many times their height may bend: round a cap, a badge, the top of a sign.
BENT = 6.0
ARCHES = (
    Arch(0.4),
    Arch(-0.4),
    Arch(0.25, 0.5),
    Arch(0.25, -0.5),
    Arch(-0.25, 0.5),
    Arch(-0.25, -0.5),
)


class CropReader:
    """Looks at one crop, each look taken once."""

    def __init__(
        self,
        lines: LineReader,
        settings: DecodeSettings,
        pixels: ImageArray,
        options: ReadOptions,
        helpers: Helpers,
    ) -> None:
        """Remember what to read and how.

        Args:
            lines: Reads strips.
            settings: When to look again.
            pixels: uint8 RGB (H, W, 3), a picture of one line.
            options: How to decode.
            helpers: Take the looks.
        """
        self._lines = lines
        self._settings = settings
        self._pixels = pixels
        self._options = options
        self._helpers = helpers
        self._looks: dict[Key, Look] = {}
        height, width = pixels.shape[:2]
        self._quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        self._cuts = (*PARTS, *ARCHES) if max(width, height) < BENT * min(width, height) else PARTS
        # how many quarter turns to the left bring the text upright, likeliest first
        self._quarters: tuple[int, ...] = (0,) if height < TALL * width else (1, 3)
        if TALL * width <= height < SINGLE_CHARACTER * width:
            self._quarters = (0, *self._quarters)

    def read(self) -> Look:
        """Return the look whose free text is surest, or on which most looks agree."""
        settings = self._settings
        whole = list(self._look((quarters, WHOLE) for quarters in self._quarters))
        best = max(whole, key=lambda look: look.confidence)
        if best.confidence < settings.crop_confidence:
            quarters = self._quarters[whole.index(best)]
            more = self._look((quarters, cut) for cut in self._cuts)
            best = elect(chain([best], more), settings.vote_lead)
        if self._quarters == (0,) and best.confidence < settings.flip_confidence:
            [turned] = self._look([(2, WHOLE)])
            if turned.confidence > best.confidence + settings.flip_gain:
                best = turned
        return best

    def fit(self) -> Look:
        """Return the look with the most probable text that the pattern allows.

        Call it after `read`. All looks are taken unless one of those that `read` took says such a
        text surely.
        """
        quarters = max(self._quarters, key=lambda k: self._looks[k, WHOLE].fit_probability)
        if self._likeliest().fit_confidence < self._settings.crop_confidence:
            turned = [(2, WHOLE)] if self._quarters == (0,) else []
            wanted = [*turned, *((quarters, cut) for cut in self._cuts)]
            list(self._look(x for x in wanted if x not in self._looks))
        return self._likeliest()

    def _likeliest(self) -> Look:
        return max(self._looks.values(), key=lambda look: look.fit_probability)

    def _look(self, wanted: Iterable[Key]) -> Iterator[Look]:
        """Yield looks at the crop as they are asked for; only those are kept.

        As many as there are helpers are taken at a time.
        """
        rest = iter(wanted)
        while some := list(islice(rest, len(self._helpers))):
            for key, look in zip(some, self._helpers.map(self._take, some), strict=True):
                self._looks[key] = look
                yield look

    def _take(self, key: Key) -> Look:
        quarters, cut = key
        # turned to the left once, reading starts at what was the top right corner
        quad = np.roll(self._quad, -quarters, axis=0)
        width = self._lines.max_width
        turned = np.rot90(self._pixels, quarters)
        found = FoundLine(quad, 1.0, float(turned.shape[0]), None)
        if isinstance(cut, Arch):
            strip = unbend(np.ascontiguousarray(turned), cut, width)
        elif cut == WHOLE:
            strip = fit_strip(np.ascontiguousarray(turned), width)
        else:
            quad = cut.cut(quad)
            strip = rectify(self._pixels, quad, width, cut.stretch)
        return Look(found, quad, quad, self._lines.read_strip(strip, self._options))
