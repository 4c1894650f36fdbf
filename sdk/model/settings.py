"""`DecodeSettings`: how the outputs of a bundle's graphs become a reading.

The values belong to the trained networks. They stand in the manifest of a bundle, chosen by
``python -m training sweep``; the defaults are those of the model that comes with the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sdk.model.fields import CheckedSettings, choice, group, number, parsed, whole
from sdk.model.retry_policy import RetryPolicy

__all__ = [
    "FEATURES",
    "FEATURES_FIRST",
    "PIXELS",
    "CoarseSettings",
    "DecodeSettings",
    "DetectSettings",
    "RecognizeSettings",
    "TileSettings",
]

PIXELS, FEATURES, FEATURES_FIRST = "pixels", "features", "features_first"

WIDEST = 4096
"""Most pixels of a line crop's width: 128 times its height."""


@dataclass(frozen=True, slots=True)
class CoarseSettings(CheckedSettings):
    """When the detector runs on a smaller copy of the photo, for text that fills it.

    Attributes:
        below_score: A photo whose surest line is found less surely than this is seen smaller, 0..1;
            0 never.
        reduction: How many times smaller.
        min_height_px: Lines lower than this on the frame of the smaller copy do not count: they
            show better in the first run.
    """

    below_score: float = number(0.9, 0, 1)
    reduction: float = number(2.5, 1, 16)
    min_height_px: float = number(20.0, 0, 1e4)


@dataclass(frozen=True, slots=True)
class TileSettings(CheckedSettings):
    """When and how the detector runs on overlapping tiles of a photo, for small text.

    Attributes:
        most: Most tiles; 0 never tiles.
        small_height_px: Lines lower than this on the frame are small.
        small_share: Share of small lines from which a photo is tiled, 0..1.
        good_height_px: Height on the frame that the median small line gets.
        blind_zoom: Magnification where the first run found nothing.
        max_zoom: Largest magnification, 1 and up; of a strip as many times as the strip is longer
            than high, if that is more.
        strip_aspect: A picture this many times longer than wide is a strip, such as a till roll.
        overlap: Overlap of neighboring tiles as a share of a tile, 0 to 0.5.
    """

    most: int = whole(12, 0, 10_000)
    small_height_px: float = number(13.0, 0, 1e4)
    small_share: float = number(0.5, 0, 1)
    good_height_px: float = number(24.0, 1, 1e4)
    blind_zoom: float = number(2.0, 1, 16)
    max_zoom: float = number(3.0, 1, 16)
    strip_aspect: float = number(4.0, 1, 1000)
    overlap: float = number(0.15, 0, 0.5)


@dataclass(frozen=True, slots=True)
class DetectSettings(CheckedSettings):
    """How lines are found; "frame" is the detector's input.

    Attributes:
        score_threshold: Least text probability of a cell of the score map, 0..1.
        nms_iou: Intersection over union above which the weaker of two boxes is dropped, 0..1.
        min_height_px: Lines lower than this on the frame are dropped.
        max_scale: Largest magnification of a small picture in the frame.
        max_lines: Most lines read in a picture; the surest detections are kept.
        box_margin: Share of a line's height added on all sides of the box that users get: the
            detector's box ends where the ink ends, and people draw boxes wider.
        coarse: Text that fills the photo.
        tiles: Text that is small in the photo.
    """

    score_threshold: float = number(0.7, 0, 1)
    nms_iou: float = number(0.1, 0, 1)
    min_height_px: float = number(4.0, 0, 1e4)
    max_scale: float = number(3.0, 0.01, 100)
    max_lines: int = whole(300, 1, 10_000)
    box_margin: float = number(0.1, 0, 1)
    coarse: CoarseSettings = group(CoarseSettings)
    tiles: TileSettings = group(TileSettings)


def _parse_widths(data: Any) -> tuple[int, ...]:
    widths = tuple(data)
    fits = all(type(w) is int and 0 < w <= WIDEST and w % 32 == 0 for w in widths)
    if not widths or not fits or sorted(set(widths)) != list(widths):
        raise ValueError("no widths")
    return widths


@dataclass(frozen=True, slots=True)
class RecognizeSettings(CheckedSettings):
    """How lines are read.

    Attributes:
        source: What lines of a photo are read from: "pixels", a line crop each; "features", the
            detector's shared features; "features_first", the features, and pixels for lines that
            are small or unsure. A bundle without a recognizer graph always reads from pixels.
        features_min_height_px: With "features_first", lines lower than this on the frame are read
            from pixels.
        line_widths: Widths in pixels that line crops are padded to, ascending multiples of 32; a
            longer line is squeezed into the last one.
        crop_margin: Share of a line's height added on all its sides when the line is cut out of the
            photo.
        crop_side: Share of the height added before and behind the line besides: where a line ends
            is found less surely than how high it is.
        digit_odds: How many times likelier than the network thinks a digit is where a letter is
            rare, as in R03718, see `sdk.recognize.priors`; 1 trusts the network.
        pattern_ratio: The text that a pattern allows is given if it is at least so probable beside
            the free text, for each character, 0..1.
        min_confidence: Lines read less surely than this are left out of a reading, 0..1, unless the
            caller gives a bound.
    """

    source: str = choice(FEATURES_FIRST, PIXELS, FEATURES, FEATURES_FIRST)
    features_min_height_px: float = number(20.0, 0, 1e4)
    line_widths: tuple[int, ...] = parsed(
        (64, 128, 256, 512, 1024), f"ascending multiples of 32, up to {WIDEST}", _parse_widths, list
    )
    crop_margin: float = number(0.05, 0, 1)
    crop_side: float = number(0.2, 0, 2)
    digit_odds: float = number(10.0, 1, 1e4)
    pattern_ratio: float = number(0.5, 0, 1)
    min_confidence: float = number(0.5, 0, 1)


@dataclass(frozen=True, slots=True)
class DecodeSettings(CheckedSettings):
    """All settings of a bundle, by the step of reading that they rule.

    Attributes:
        detect: From a photo to the boxes of its lines.
        recognize: From a line to its text.
        retry: Reading lines again from other views.
    """

    detect: DetectSettings = group(DetectSettings)
    recognize: RecognizeSettings = group(RecognizeSettings)
    retry: RetryPolicy = group(RetryPolicy)
