"""Read a picture that shows a single line: turned, zoomed, as it reads best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from sdk.detect.detector import FoundLine
from sdk.engine.worker_pool import WorkerPool
from sdk.geometry import side_lengths
from sdk.image.load import ImageArray
from sdk.model.settings import DecodeSettings
from sdk.recognize.recognizer import LineReader, ReadOptions
from sdk.rectify.band import Band, cut_band, find_band
from sdk.rectify.crop import fit_strip, rectify
from sdk.retry.direction import claim_of_turned, witnesses
from sdk.retry.look import Look
from sdk.retry.vote import WHOLE, Part, elect

__all__ = ["CropReader"]

# A crop this many times higher than wide holds a line that runs upwards or downwards, unless it
# is a single narrow character.
TALL = 1.5
SINGLE_CHARACTER = 3.0


@dataclass(frozen=True, slots=True)
class BandCut:
    """A look along the band of a crop.

    Attributes:
        band: Where the line runs, margins included.
        side: What is added before and behind the crop, as a share of the band's height.
        stretch: Horizontal scale of the strip.
    """

    band: Band
    side: float = 0.1
    stretch: float = 1.0


Cut = Part | BandCut
# So many quarter turns to the left, and then what of the crop is read.
Key = tuple[int, Cut]

# What of a crop is read where the whole reads badly, most useful first: along the band that the
# line seems to run in, with margins and scales of several sizes, ...
BENT_AND_MARGINS = ((False, 0.12), (True, 0.12), (False, 0.2), (True, 0.3))
STRETCH, STRETCHED_MARGIN = 1.2, 0.12
# A line this many times longer than high is not stretched: it gains nothing and costs most.
LONG = 6.0
# ... and in parts of the crop that do not depend on a guess. The line may stand in a part of the
# height or climb through it, characters may touch the edges, and each cut errs in its own way.
PARTS = (
    Part(side=0.1),
    Part(0.1, 0.9),
    Part(side=0.15, stretch=1.25),
    Part(side=0.15, stretch=0.9),
    Part(0.15, 1.0),
    Part(rise=0.3),
    Part(rise=-0.3),
    Part(rise=0.5),
    Part(rise=-0.5),
)


def cuts_of(pixels: ImageArray) -> tuple[Cut, ...]:
    """Return what of a crop, turned upright, is worth reading, most useful first.

    A band that is the likeliest whether lines may bend or not is there twice: it votes twice.
    """
    bands = {bent: find_band(pixels, bent=bent) for bent in (False, True)}
    plain = [BandCut(bands[bent].grown(margin)) for bent, margin in BENT_AND_MARGINS]
    wider = [BandCut(x.grown(STRETCHED_MARGIN), stretch=STRETCH) for x in bands.values()]
    height, width = pixels.shape[:2]
    return (*plain, *(wider if width < LONG * height else ()), *PARTS)


class CropReader:
    """Looks at one crop, each look taken once."""

    def __init__(
        self,
        lines: LineReader,
        settings: DecodeSettings,
        pixels: ImageArray,
        options: ReadOptions,
        helpers: WorkerPool,
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
        self._cuts: dict[int, tuple[Cut, ...]] = {}  # by quarter turns
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
            more = self._look((quarters, cut) for cut in self._upright_cuts(quarters))
            best = elect(chain([best], more), settings.vote_lead)
        doubtful = best.confidence < settings.flip_confidence
        asked = bool(witnesses([best], settings))
        if self._quarters == (0,) and (doubtful or asked):
            [turned] = self._look([(2, WHOLE)])
            surer = doubtful and turned.confidence > best.confidence + settings.flip_gain
            claim = claim_of_turned(best, turned, settings)
            if surer or (asked and claim > settings.flip_lead):
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
            list(self._look([*turned, *((quarters, cut) for cut in self._upright_cuts(quarters))]))
        return self._likeliest()

    def _likeliest(self) -> Look:
        return max(self._looks.values(), key=lambda look: look.fit_probability)

    def _look(self, wanted: Iterable[Key]) -> Iterator[Look]:
        """Yield looks at the crop as they are asked for; only those are kept, and each taken once.

        As many as there are helpers are taken at a time.
        """
        rest = iter(wanted)
        while some := list(islice(rest, len(self._helpers))):
            new = [key for key in dict.fromkeys(some) if key not in self._looks]
            self._looks.update(zip(new, self._helpers.map(self._take, new), strict=True))
            yield from (self._looks[key] for key in some)

    def _upright_cuts(self, quarters: int) -> tuple[Cut, ...]:
        if quarters not in self._cuts:
            self._cuts[quarters] = cuts_of(self._turned(quarters))
        return self._cuts[quarters]

    def _turned(self, quarters: int) -> ImageArray:
        return np.ascontiguousarray(np.rot90(self._pixels, quarters))

    def _take(self, key: Key) -> Look:
        quarters, cut = key
        # turned to the left once, reading starts at what was the top right corner
        quad = np.roll(self._quad, -quarters, axis=0)
        most = self._lines.max_width
        across, height = (float(x) for x in side_lengths(quad))
        found = FoundLine(quad, 1.0, height, None)
        if isinstance(cut, BandCut):
            strip = cut_band(self._turned(quarters), cut.band, cut.side, cut.stretch, most)
            quad = cut.band.within(quad, cut.side, across, height)
        elif cut == WHOLE:
            strip = fit_strip(self._turned(quarters), most)
        else:
            quad = cut.cut(quad)
            strip = rectify(self._pixels, quad, most, cut.stretch)
        return Look(found, quad, quad, self._lines.read_strip(strip, self._options))
