"""How a bundle's outputs are decoded: the thresholds that belong to the trained network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sdk.errors import ModelError
from sdk.model.faults import wrong

__all__ = ["DecodeSettings"]


# Pixels of a strip: 128 times its height.
WIDEST = 4096

_SHARES = (
    "score_threshold",
    "nms_iou",
    "min_confidence",
    "recheck_confidence",
    "crop_confidence",
    "flip_confidence",
    "flip_gain",
    "pattern_ratio",
    "tile_share",
    "farther_score",
    "flip_probability",
    "flip_least",
)


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """Thresholds and sizes of decoding; "frame" is the detector's input.

    Attributes:
        score_threshold: Least text probability of a map cell, 0..1.
        nms_iou: Intersection over union above which the weaker of two boxes is dropped, 0..1.
        min_height_px: Lines lower than this on the frame are dropped.
        min_confidence: Lines whose text is less sure than this are left out of a reading, 0..1,
            unless the caller gives a bound.
        max_scale: Largest magnification of a small picture in the frame.
        max_lines: Most lines read in a picture; the surest detections are kept.
        line_widths: Widths in pixels that line strips are padded to, ascending multiples of 32;
            longer lines are squeezed into the last one.
        box_margin: Share of a line's height added on all sides of the box that users get: the
            detector's ends where the ink does, people draw theirs wider.
        strip_margin: Share of a line's height added on all its sides when it is cut out of the
            picture.
        strip_side: Share of the height added before and behind the line besides: where a line ends
            is found less surely than how high it is.
        recheck_confidence: Lines of a photo less sure than this are read again from its pixels.
        recheck_height_px: Lines lower than this on the frame are read from those pixels only.
        crop_confidence: Pictures of one line less sure than this are read again in several cuts;
            bundles without it take `recheck_confidence`.
        flip_confidence: Lines still less sure than this are tried turned by 180 degrees.
        flip_gain: How much surer the turned line must be to win.
        max_flips: Most lines of a picture tried turned.
        flip_probability: A line whose whole text is at least so probable vouches for the direction
            of the lines that run the same way, 0..1; where too few do, some are read turned, and
            all are if that reads better. 0 trusts all.
        flip_witnesses: Most lines that are read turned to tell the direction of the others.
        flip_least: A line less probable than this both ways is hardly text and says nothing, 0..1.
        flip_most: Most that one line says: the logarithm of a ratio of odds, 0 and up.
        flip_lead: How much better the turned lines must read in all, the same.
        vote_lead: Lines less sure than `recheck_confidence`, or `crop_confidence`, are read in
            several cuts, which vote; this many votes of lead end the reading early (a cut surely
            read has one vote).
        digit_odds: How many times likelier than the network thinks a digit is where a letter is
            rare, as in R03718, see `sdk.recognize.priors`; 1 trusts the network.
        pattern_ratio: Text that a pattern allows is given if it is at least so probable beside the
            free text, for each character, 0..1.
        tile_height_px: Lines lower than this on the frame count as small.
        tile_share: Share of small lines from which a large picture is looked at in tiles.
        max_tiles: Most tiles; 0 never tiles.
        tile_zoom: Largest magnification of tiles over the first look, 1 and up; of a strip, as many
            times as it is longer than high if that is more.
        tile_overlap: Overlap of neighboring tiles as a share of the tile, 0 to 0.5.
        farther_score: Photos whose surest line is found less surely than this are looked at once
            more from farther away, for text that fills the frame, 0..1; 0 never does.
    """

    score_threshold: float = 0.5
    nms_iou: float = 0.3
    min_height_px: float = 4.0
    min_confidence: float = 0.0
    max_scale: float = 3.0
    max_lines: int = 300
    line_widths: tuple[int, ...] = (64, 128, 192, 256, 384, 512, 768, 1024)
    box_margin: float = 0.0
    strip_margin: float = 0.05
    strip_side: float = 0.0
    recheck_confidence: float = 0.9
    recheck_height_px: float = 20.0
    crop_confidence: float = 0.9
    flip_confidence: float = 0.5
    flip_gain: float = 0.1
    max_flips: int = 16
    flip_probability: float = 0.0
    flip_witnesses: int = 3
    flip_least: float = 0.5
    flip_most: float = 3.0
    flip_lead: float = 2.0
    vote_lead: float = 1.2
    digit_odds: float = 1.0
    pattern_ratio: float = 0.5
    tile_height_px: float = 10.0
    tile_share: float = 0.3
    max_tiles: int = 12
    tile_zoom: float = 3.0
    tile_overlap: float = 0.15
    farther_score: float = 0.0

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            ModelError: A value has the wrong type or lies outside its range.
        """
        for name in _SHARES:
            self._check(name, 0.0, 1.0)
        for name in ("min_height_px", "recheck_height_px", "tile_height_px"):
            self._check(name, 0.0, 1e4)
        self._check("vote_lead", 0.0, 100.0)
        self._check("flip_lead", 0.0, 100.0)
        self._check("flip_most", 0.0, 100.0)
        self._check("digit_odds", 1.0, 1e4)
        self._check("max_scale", 0.01, 100.0)
        self._check("box_margin", 0.0, 1.0)
        self._check("strip_margin", 0.0, 1.0)
        self._check("strip_side", 0.0, 2.0)
        self._check("tile_zoom", 1.0, 16.0)
        self._check("tile_overlap", 0.0, 0.5)
        for name, least in (
            ("max_lines", 1),
            ("max_flips", 0),
            ("max_tiles", 0),
            ("flip_witnesses", 0),
        ):
            self._check(name, least, 10_000)
            if not isinstance(getattr(self, name), int):
                raise self._bad(name, "a whole number")
        object.__setattr__(self, "line_widths", self._widths())

    def _check(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise self._bad(name, f"a number from {low:g} to {high:g}")

    def _widths(self) -> tuple[int, ...]:
        try:
            widths = tuple(self.line_widths)
        except TypeError:
            widths = ()
        fits = all(type(w) is int and 0 < w <= WIDEST and w % 32 == 0 for w in widths)
        if not widths or not fits or sorted(set(widths)) != list(widths):
            raise self._bad("line_widths", f"ascending multiples of 32, up to {WIDEST}")
        return widths

    def _bad(self, name: str, wanted: str) -> ModelError:
        return wrong(f'decode setting "{name}"', getattr(self, name), wanted)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DecodeSettings:
        """Return the settings of a manifest; what is absent keeps its default.

        Raises:
            ModelError: A key is unknown or a value is not legal.
        """
        known = [f.name for f in fields(cls)]
        unknown = sorted(str(key) for key in set(data) - set(known))
        if unknown:
            raise ModelError(
                f"Unknown decode settings {', '.join(unknown)}; known are {', '.join(known)}. "
                "Correct model.json, or update the SDK if the bundle is newer."
            )
        if "recheck_confidence" in data:  # older bundles have one bound for photos and crops
            data = {"crop_confidence": data["recheck_confidence"], **data}
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "line_widths": list(self.line_widths)}
