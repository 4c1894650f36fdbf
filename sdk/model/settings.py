"""`DecodeSettings`: how the outputs of a bundle's graphs become a reading.

The values belong to the trained networks and are part of a bundle's manifest.
``python -m training sweep`` chooses them. The defaults fit the model that comes with the package.
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
    "CellSettings",
    "CoarseSettings",
    "DecodeSettings",
    "DetectSettings",
    "RecognizeSettings",
    "TileSettings",
]

PIXELS, FEATURES, FEATURES_FIRST = "pixels", "features", "features_first"

WIDEST = 4096
"""Largest width of a line crop in pixels, 128 times its height."""


@dataclass(frozen=True, slots=True)
class CoarseSettings(CheckedSettings):
    """When the detector runs on a smaller copy of the photo, for text that fills it.

    Attributes:
        below_score: The smaller copy is used if the best line of the first run has a lower score,
            0..1. 0 switches the smaller copy off, for large lines too.
        large_height_px: The smaller copy is also used if the first run found a line at least this
            high on the frame, because its box may lack words beyond wide gaps.
        reduction: Factor by which the copy is smaller.
        min_height_px: Lines lower than this on the frame of the smaller copy are dropped, because
            the first run shows them better.
    """

    below_score: float = number(0.9, 0, 1)
    large_height_px: float = number(60.0, 0, 1e4)
    reduction: float = number(2.5, 1, 16)
    min_height_px: float = number(20.0, 0, 1e4)


@dataclass(frozen=True, slots=True)
class TileSettings(CheckedSettings):
    """When and how the detector runs on overlapping tiles of a photo, for small text.

    Attributes:
        most: Largest number of tiles. 0 switches tiles off.
        small_height_px: Lines lower than this on the frame are small.
        small_share: A photo with at least this share of small lines is tiled, 0..1.
        good_height_px: Height on the frame to which tiles magnify the median small line.
        blind_zoom: Magnification if the first run found nothing.
        max_zoom: Largest magnification, 1 and up. For a long picture its aspect ratio is the limit
            if that is larger.
        strip_aspect: Aspect ratio from which a picture counts as long, such as a till roll.
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
    """How lines are found. The frame is the detector's input.

    Attributes:
        score_threshold: Least text probability of a cell of the score map, 0..1.
        nms_iou: Intersection over union above which the weaker of two boxes is dropped, 0..1.
        min_height_px: Lines lower than this on the frame are dropped.
        max_scale: Largest magnification of a small picture in the frame.
        max_lines: Largest number of lines read in a picture. The detections with the highest scores
            are kept.
        box_margin: Margin on all sides of the box in a reading, as a share of the line's height.
            The detector's box ends where the ink ends, and people draw wider boxes.
        coarse: Settings for text that fills the photo.
        tiles: Settings for text that is small in the photo.
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
class CellSettings(CheckedSettings):
    """Which gaps divide a line of a photo into cells, see `sdk.retry.cells`.

    A gap is the distance of the middles of two characters with a space between.

    Attributes:
        pitches: A wide gap is larger than this multiple of the median distance of neighboring
            characters. A single space of a typewriter face makes a gap of 2. 0 divides no line.
        heights: A wide gap is also larger than this multiple of the line's height.
    """

    pitches: float = number(2.9, 0, 100)
    heights: float = number(1.3, 0, 100)


@dataclass(frozen=True, slots=True)
class RecognizeSettings(CheckedSettings):
    """How lines are read.

    Attributes:
        source: Input of recognition for the lines of a photo. "pixels" reads a line crop each.
            "features" reads the detector's shared features. "features_first" reads the features,
            and pixels for lines that are small or have a low confidence. A bundle without a
            recognizer graph always reads from pixels.
        features_min_height_px: With "features_first", lines lower than this on the frame are read
            from pixels.
        line_widths: Widths in pixels to which line crops are padded, ascending multiples of 32. A
            longer line is squeezed into the last width.
        crop_margin: Margin on all sides of a line crop, as a share of the line's height.
        crop_side: Additional margin at the start and end of a line crop, as a share of the line's
            height. The detector finds the ends of a line less precisely than its height.
        digit_odds: Factor on the odds of a digit where a letter is rare, as in R03718, see
            `sdk.recognize.priors`. 1 leaves the network's output unchanged.
        pattern_ratio: Least probability of the text that fits a pattern, as a ratio to the
            probability of the free text, per character, 0..1.
        min_confidence: Lines with a lower confidence are left out of a reading, 0..1. The caller
            can set another bound.
        unknown_below: Characters with a lower confidence are marked as `unknown`, 0..1. 0 marks
            only those of a model that was trained to reject characters.
        foreign_below: With a charset of the caller, characters whose probability among all
            characters of the model is lower are marked as `unknown`, 0..1. 0 marks none.
        cells: Which gaps divide a line of a photo.
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
    unknown_below: float = number(0.0, 0, 1)
    foreign_below: float = number(0.2, 0, 1)
    cells: CellSettings = group(CellSettings)


@dataclass(frozen=True, slots=True)
class DecodeSettings(CheckedSettings):
    """All settings of a bundle, grouped by step of the reading path.

    Attributes:
        detect: From a photo to the boxes of its lines.
        recognize: From a line to its text.
        retry: Further readings of a line from other views.
    """

    detect: DetectSettings = group(DetectSettings)
    recognize: RecognizeSettings = group(RecognizeSettings)
    retry: RetryPolicy = group(RetryPolicy)
