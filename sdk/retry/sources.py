"""Sources of a line's pixels: a box in a photo, or a picture of the line alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sdk.detect.detector import DetectedLine
from sdk.geometry import side_lengths, slice_quads, slice_rows
from sdk.image.load import ImageArray
from sdk.model.retry_policy import OrientationSettings
from sdk.model.settings import WIDEST, DecodeSettings
from sdk.model.views import COLOR, GREEN, WHOLE, BandView, CandidateView, PartView
from sdk.rectify.band import Band, cut_band, find_band
from sdk.rectify.crop import crop_width, expand_quad, rectify, scale_crop
from sdk.retry.tone import toned

__all__ = ["CropLine", "LineCrop", "LineSource", "PhotoLine", "cut_part"]

Floats = NDArray[np.float32]
WidthLimit: TypeAlias = Callable[[int], int]


@dataclass(frozen=True, slots=True, eq=False)
class LineCrop:
    """A rectified line.

    Attributes:
        pixels: uint8 RGB (32, w, 3).
        area: float32 (4, 2), area of the picture that the pixels show, picture pixels.
        box: float32 (4, 2), the box of the result, picture pixels.
    """

    pixels: ImageArray
    area: Floats
    box: Floats


@dataclass(frozen=True, slots=True)
class PlacedBand:
    """The text band that a `BandView` found in a picture of one line, margins included."""

    band: Band
    side: float
    stretch: float
    tone: str


Placed: TypeAlias = CandidateView | PlacedBand


class LineSource(Protocol):
    """A source of line crops, one for each candidate view of a line.

    Attributes:
        score: Text probability of the line from the detector, 0..1.
        aspect: Ratio of width to height of the line's box.
    """

    score: float
    aspect: float

    def turned(self, quarters: int) -> LineSource:
        """Return the same line, turned to the left by quarters of a turn."""

    def place(self, view: CandidateView) -> Placed:
        """Return the view as it applies to this line. Equal results give equal line crops."""

    def crop(self, placed: Placed, fit: WidthLimit) -> LineCrop:
        """Return the line crop of a view.

        Args:
            placed: Result of `place`.
            fit: Returns the largest width in pixels for a crop of the given natural width.
        """


def cut_part(quad: Floats, part: PartView) -> Floats:
    """Return a part of a line's box, float32 (4, 2)."""
    up, down = max(part.rise, 0.0), max(-part.rise, 0.0)
    shares = np.array([[up], [down], [up], [down]], np.float32)
    quad = quad + (quad[[3, 2, 1, 0]] - quad) * shares
    across, height = (max(float(x), 1e-6) for x in side_lengths(quad))
    more = part.side * height / across
    [wider] = slice_quads(quad, [-more], [1 + more])
    return slice_rows(wider, part.top, part.bottom)


class PhotoLine:
    """A line that was found in a photo."""

    def __init__(self, pixels: ImageArray, line: DetectedLine, settings: DecodeSettings) -> None:
        """Add the margins of the settings to the line's box.

        Args:
            pixels: uint8 RGB (H, W, 3), the photo.
            line: The detected line.
            settings: Margins of the line crop and of the result's box.
        """
        self.score = line.score
        self._pixels, self._line, self._settings = pixels, line, settings
        recognize = settings.recognize
        self.area = expand_quad(line.quad, recognize.crop_margin, recognize.crop_side)
        self.box = expand_quad(line.quad, settings.detect.box_margin)
        self.aspect = _aspect(line.quad)

    @cached_property
    def _is_gray(self) -> bool:
        low = np.maximum(np.floor(self.area.min(0)).astype(int), 0)
        high = np.maximum(np.ceil(self.area.max(0)).astype(int), low + 1)
        return _is_gray(self._pixels[low[1] : high[1], low[0] : high[0]])

    def turned(self, quarters: int) -> PhotoLine:
        """Return the same line, turned to the left by quarters of a turn."""
        quad = np.roll(self._line.quad, -quarters, axis=0)
        return PhotoLine(self._pixels, replace(self._line, quad=quad), self._settings)

    def place(self, view: CandidateView) -> CandidateView:
        """Return the view as it applies to this line, see `LineSource`."""
        return _colored(view) if view.tone == GREEN and self._is_gray else view

    def crop(self, placed: Placed, fit: WidthLimit) -> LineCrop:
        """Return the line crop of a view, see `LineSource`."""
        stretch = placed.stretch
        if isinstance(placed, BandView):
            around = expand_quad(self._line.quad, placed.room, placed.room)
            view = rectify(self._pixels, around, fit(WIDEST))
            height, width = view.shape[:2]
            band = find_band(view, bent=placed.bent).grown(placed.margin)
            area = band.within(around, placed.side, width, height)
        else:
            assert isinstance(placed, PartView)
            area = self.area if _is_whole(placed) else cut_part(self.area, placed)
        widest = fit(crop_width(area, stretch))
        pixels = rectify(self._pixels, area, widest, stretch)
        return LineCrop(toned(pixels, placed.tone), area, self.box)


class CropLine:
    """A picture that shows a single line."""

    score = 1.0

    def __init__(self, pixels: ImageArray, quarters: int = 0) -> None:
        """Use the whole picture as the line's box.

        Args:
            pixels: uint8 RGB (H, W, 3).
            quarters: Quarter turns to the left that bring the text upright.
        """
        self._pixels = pixels
        self._quarters = quarters % 4
        height, width = pixels.shape[:2]
        quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        # after one quarter turn to the left, the former top right corner is the top left corner
        self._quad = np.roll(quad, -self._quarters, axis=0)
        self.aspect = _aspect(self._quad)

    def orientations(self, settings: OrientationSettings) -> list[CropLine]:
        """Return the line in its possible orientations, likeliest first."""
        height, width = self._pixels.shape[:2]
        if height < settings.tall * width:
            return [self]
        sideways = [self.turned(1), self.turned(3)]
        return [self, *sideways] if height < settings.single * width else sideways

    def turned(self, quarters: int) -> CropLine:
        """Return the same line, turned to the left by quarters of a turn."""
        return CropLine(self._pixels, self._quarters + quarters)

    def place(self, view: CandidateView) -> Placed:
        """Return the view as it applies to this line, see `LineSource`."""
        if view.tone == GREEN and self._is_gray:
            view = _colored(view)
        if isinstance(view, BandView):
            band = self._bands[view.bent].grown(view.margin)
            return PlacedBand(band, view.side, view.stretch, view.tone)
        return view

    def crop(self, placed: Placed, fit: WidthLimit) -> LineCrop:
        """Return the line crop of a view, see `LineSource`."""
        if isinstance(placed, PlacedBand):
            most = fit(WIDEST)
            pixels = cut_band(self._upright, placed.band, placed.side, placed.stretch, most)
            across, height = (float(x) for x in side_lengths(self._quad))
            area = placed.band.within(self._quad, placed.side, across, height)
        elif _is_whole(placed):
            pixels, area = scale_crop(self._upright, fit(WIDEST)), self._quad
        else:
            assert isinstance(placed, PartView)
            area = cut_part(self._quad, placed)
            widest = fit(crop_width(area, placed.stretch))
            pixels = rectify(self._pixels, area, widest, placed.stretch)
        return LineCrop(toned(pixels, placed.tone), area, area)

    @cached_property
    def _is_gray(self) -> bool:
        return _is_gray(self._pixels)

    @cached_property
    def _upright(self) -> ImageArray:
        return np.ascontiguousarray(np.rot90(self._pixels, self._quarters))

    @cached_property
    def _bands(self) -> dict[bool, Band]:
        return {bent: find_band(self._upright, bent=bent) for bent in (False, True)}


def _is_whole(placed: Placed) -> bool:
    return isinstance(placed, PartView) and _colored(placed) == WHOLE


def _colored(view: CandidateView) -> CandidateView:
    """Return a view as it is in color: of gray pixels the green channel is the same."""
    return replace(view, tone=COLOR)


def _is_gray(pixels: ImageArray) -> bool:
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return bool((red == green).all() and (green == blue).all())


def _aspect(quad: Floats) -> float:
    across, height = (float(x) for x in side_lengths(quad))
    return across / max(height, 1e-6)
