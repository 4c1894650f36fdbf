"""Read small and doubtful lines of a photo again, from the photo's own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sdk.engine.worker_pool import WorkerPool
from sdk.geometry import reverse
from sdk.image.load import ImageArray
from sdk.model.settings import DecodeSettings
from sdk.recognize.recognizer import LineReader, ReadOptions
from sdk.rectify.band import find_band
from sdk.rectify.crop import expand_quad, rectify, strip_width
from sdk.results import TextLine
from sdk.retry.direction import claim_of_turned, runs, witnesses
from sdk.retry.look import Look, to_result
from sdk.retry.vote import WHOLE, Election, Part

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


@dataclass(frozen=True, slots=True)
class AlongBand:
    """A look along the band that stands out around a found line, whose box may be off or slant.

    Attributes:
        room: What is searched around the line, as a share of its height; as much again at its ends.
        margin: What is added above and below the band, as a share of its height.
        stretch: Horizontal scale of the strip.
    """

    room: float = 0.25
    margin: float = 0.15
    stretch: float = 1.0


Cut = Part | AlongBand
CUTS: tuple[Cut, ...] = (*PARTS, AlongBand())

# A cut that votes is one of several: it may lose this much of its width, if that halves its time.
SQUEEZE = 1.15
# A line whose looks are all less sure than this gets no more.
HOPELESS = 0.6


def strip_area(quad: Floats, settings: DecodeSettings) -> Floats:
    """Return what of a photo is cut out to read a found line, float32 (4, 2)."""
    return expand_quad(quad, settings.strip_margin, settings.strip_side)


@dataclass(slots=True)
class _Line:
    """A line and the looks at it so far, the first one before any from the photo's pixels.

    `turned` is a look at it the other way round.
    """

    looks: list[Look]
    turned: Look | None = None
    _election: Election | None = None

    @property
    def best(self) -> Look:
        """The elected look, without an election the surest."""
        return self._election.elected() if self._election else max(self.looks, key=_confidence)

    @property
    def is_decided(self) -> bool:
        return self._election is not None and self._election.is_over

    def hold_election(self, lead: float) -> None:
        """Let the looks vote, and those to come."""
        self._election = Election(lead)
        # the surer one first: a low lead may end the election there
        for look in sorted(self.looks, key=_confidence, reverse=True):
            if look.text.free.text:
                self._election.add(look)

    def add(self, look: Look) -> None:
        self.looks.append(look)
        if self._election is not None:
            self._election.add(look)


def _confidence(look: Look) -> float:
    return look.confidence


class Recheck:
    """Second looks at the lines of one photo."""

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
            pixels: uint8 RGB (H, W, 3), the photo.
            options: How to decode.
            helpers: Take the looks.
        """
        self._lines = lines
        self._settings = settings
        self._pixels = pixels
        self._options = options
        self._helpers = helpers

    def read(self, first: list[Look]) -> list[TextLine]:
        """Return the lines, each as it reads best.

        Args:
            first: What was read from the detector's features; without text where nothing was.
        """
        settings = self._settings
        lines = [_Line([look]) for look in first]
        self._look_again([x for x in lines if self._is_small(x) or self._is_unsure(x)], (WHOLE,))
        for members in runs([line.best for line in lines]):
            self._turn_page([lines[i] for i in members])
        best = self._elected(lines)
        fitted = [self._fitted(line.looks) for line in lines]
        doubtful = [i for i, look in enumerate(best) if look.confidence < settings.flip_confidence]
        del doubtful[settings.max_flips :]
        turned = self._read_turned([lines[i] for i in doubtful])
        for i, look in zip(doubtful, turned, strict=True):
            fitted[i] = self._fitted([fitted[i] or look, look])
            if look.confidence > best[i].confidence + settings.flip_gain:
                best[i] = look
        return [to_result(*pair, settings.pattern_ratio) for pair in zip(best, fitted, strict=True)]

    def _turn_page(self, lines: list[_Line]) -> None:
        """Turn lines that run the same way if those asked read much better the other way round."""
        settings = self._settings
        asked = [lines[i] for i in witnesses([x.best for x in lines], settings)]
        turned = self._read_turned(asked)
        pairs = zip(asked, turned, strict=True)
        claims = [claim_of_turned(line.best, look, settings) for line, look in pairs]
        if sum(claims) <= settings.flip_lead:
            return
        for line, look in zip(lines, self._read_turned(lines), strict=True):
            # what stands the other way on the page says so itself
            if claim_of_turned(line.best, look, settings) > -settings.flip_lead:
                line.looks, line.turned = [look], line.best

    def _read_turned(self, lines: list[_Line]) -> list[Look]:
        """Return looks at lines the other way round; each is taken once."""
        new = [line for line in lines if line.turned is None]
        looks = self._helpers.map(self._turned, [line.looks[0] for line in new])
        for line, look in zip(new, looks, strict=True):
            line.turned = look
        return [line.turned for line in lines if line.turned is not None]

    def _elected(self, lines: list[_Line]) -> list[Look]:
        """Let looks at unsure lines vote and return the best look at each line.

        Every line gets its next look before any gets more, and looks are shared out singly: no
        helper waits for the one that has the worst line.
        """
        unsure = [line for line in lines if self._is_unsure(line) and not self._is_hopeless(line)]
        for line in unsure:
            line.hold_election(self._settings.vote_lead)
        for cuts in (CUTS[:1], CUTS[1:]):
            unsure = [line for line in unsure if not line.is_decided]
            self._look_again(unsure, cuts)
        return [line.best for line in lines]

    def _look_again(self, lines: list[_Line], cuts: Sequence[Cut]) -> None:
        """Take looks at cuts of the lines."""
        jobs = [(line, cut) for line in lines for cut in cuts]
        looks = self._helpers.map(lambda job: self._look(job[0].looks[0], job[1]), jobs)
        for (line, _), look in zip(jobs, looks, strict=True):
            line.add(look)

    def _fitted(self, looks: list[Look]) -> Look | None:
        """Return the look whose text fits the pattern best; None without a pattern."""
        if self._options.automaton is None:
            return None
        return max(looks, key=lambda look: look.fit_probability)

    def _is_small(self, line: _Line) -> bool:
        return line.looks[0].found.height_px < self._settings.recheck_height_px

    def _is_unsure(self, line: _Line) -> bool:
        return line.best.confidence < self._settings.recheck_confidence

    def _is_hopeless(self, line: _Line) -> bool:
        """Tell whether a line reads so badly that more looks would only cost time.

        A pattern may still fit one of them.
        """
        return self._options.automaton is None and line.best.confidence < HOPELESS

    def _look(self, line: Look, cut: Cut) -> Look:
        """Return a look at a cut of a line, which itself stays where it was found."""
        quad = line.found.quad
        if isinstance(cut, AlongBand):
            area = self._band(quad, cut)
        else:
            area = cut.cut(strip_area(quad, self._settings))
        widest = self._lines.max_width
        if cut != WHOLE:
            widest = self._lines.width_for(strip_width(area, cut.stretch), SQUEEZE)
        return self._read(line, line.quad, area, widest, cut.stretch)

    def _band(self, quad: Floats, cut: AlongBand) -> Floats:
        """Return the band around a line, float32 (4, 2), pixels of the photo."""
        around = expand_quad(quad, cut.room, cut.room)
        view = rectify(self._pixels, around, self._lines.max_width)
        height, width = view.shape[:2]
        return find_band(view).grown(cut.margin).within(around, 0.0, width, height)

    def _turned(self, line: Look) -> Look:
        """Return a look at a line read the other way round, from which others go on."""
        found = replace(line.found, quad=reverse(line.found.quad))
        area = strip_area(found.quad, self._settings)
        turned = replace(line, found=found)
        return self._read(turned, reverse(line.quad), area, self._lines.max_width)

    def _read(
        self, line: Look, quad: Floats, area: Floats, widest: int, stretch: float = 1.0
    ) -> Look:
        strip = rectify(self._pixels, area, widest, stretch)
        text = self._lines.read_strip(strip, self._options)
        return replace(line, quad=quad, area=area, text=text)
