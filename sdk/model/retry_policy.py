"""`RetryPolicy`: when a line is read again, from which views, and how the readings are weighed."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.model.fields import CheckedSettings, flag, group, number, parsed, whole
from sdk.model.views import BandView, CandidateView, PartView, parse_views, plain_views

__all__ = [
    "CropRetries",
    "DirectionSettings",
    "FlipSettings",
    "OrientationSettings",
    "PhotoRetries",
    "Retries",
    "RetryPolicy",
    "VoteSettings",
]

# The order of use: the most useful first, measured on generated photos and crops.
_PHOTO_VIEWS = (
    PartView(-0.1, 1.1, 0.15),
    PartView(side=0.1, stretch=1.2),
    PartView(0.06, 0.94),
    PartView(side=0.1, stretch=0.85),
    BandView(margin=0.15, room=0.25),
)
_CROP_VIEWS = (
    BandView(margin=0.12, side=0.1),
    BandView(margin=0.12, side=0.1, bent=True),
    BandView(margin=0.2, side=0.1),
    BandView(margin=0.3, side=0.1, bent=True),
    BandView(margin=0.12, side=0.1, stretch=1.2, max_aspect=6.0),
    BandView(margin=0.12, side=0.1, stretch=1.2, bent=True, max_aspect=6.0),
    PartView(side=0.1),
    PartView(0.1, 0.9),
    PartView(side=0.15, stretch=1.25),
    PartView(side=0.15, stretch=0.9),
    PartView(0.15, 1.0),
    PartView(rise=0.3),
    PartView(rise=-0.3),
    PartView(rise=0.5),
    PartView(rise=-0.5),
)


def _views(default: tuple[CandidateView, ...]) -> tuple[CandidateView, ...]:
    views: tuple[CandidateView, ...] = parsed(
        default, 'a list of views, such as {"part": {"side": 0.1}}', parse_views, plain_views
    )
    return views


@dataclass(frozen=True, slots=True)
class Retries(CheckedSettings):
    """When a line is read from candidate views.

    Attributes:
        confidence: A line read less surely than this is read from the views, 0..1.
        hopeless: A line read less surely than this gets no views, 0..1, unless a pattern is asked
            for, which one of the views may fit.
        squeeze: How many times narrower than its own width a view's line crop may become to fit the
            next smaller width of the line graph, 1 and up.
        until_fit: Whether all views are read until one fits the pattern surely.
        views: Candidate views in order of use. An empty list reads each line once.
    """

    confidence: float = number(0.95, 0, 1)
    hopeless: float = number(0.0, 0, 1)
    squeeze: float = number(1.0, 1, 4)
    until_fit: bool = flag(False)
    views: tuple[CandidateView, ...] = _views(())


@dataclass(frozen=True, slots=True)
class PhotoRetries(Retries):
    """`Retries` with the defaults for lines that were found in a photo."""

    hopeless: float = number(0.6, 0, 1)
    squeeze: float = number(1.15, 1, 4)
    views: tuple[CandidateView, ...] = _views(_PHOTO_VIEWS)


@dataclass(frozen=True, slots=True)
class CropRetries(Retries):
    """`Retries` with the defaults for pictures of one line."""

    confidence: float = number(0.98, 0, 1)
    until_fit: bool = flag(True)
    views: tuple[CandidateView, ...] = _views(_CROP_VIEWS)


@dataclass(frozen=True, slots=True)
class VoteSettings(CheckedSettings):
    """How the readings of a line's views choose its text.

    Attributes:
        lead: Votes ahead of the second text that end the voting early; a reading that is wholly
            sure has one vote, and 0 ends the voting with the first reading.
        power: A reading of confidence p has p to this power votes: by the default two of 0.9
            outvote one of 0.95, and two of 0.7 do not.
        single_character_readings: Only so many first readings of a line may vote for a single
            character: many views of larger characters look like one.
    """

    lead: float = number(2.0, 0, 100)
    power: float = number(8, 1, 64)
    single_character_readings: int = whole(2, 0, 1000)


@dataclass(frozen=True, slots=True)
class FlipSettings(CheckedSettings):
    """When a doubtful line is read turned by 180 degrees.

    Attributes:
        confidence: A line still less sure than this is read turned, 0..1.
        gain: How much surer the turned reading must be to win, 0..1.
        most_lines: Most lines of a photo that are read turned for this reason.
    """

    confidence: float = number(0.7, 0, 1)
    gain: float = number(0.1, 0, 1)
    most_lines: int = whole(16, 0, 10_000)


@dataclass(frozen=True, slots=True)
class DirectionSettings(CheckedSettings):
    """How the direction of lines that run the same way is judged, see `sdk.retry.direction`.

    Attributes:
        probability: A line whose whole text is at least so probable vouches for the direction,
            0..1. 0 trusts all lines.
        sure_share: Share of vouching lines from which nothing is read turned, 0..1.
        witnesses: Most lines that are read turned to judge the others.
        least_characters: Lines with fewer letters and digits say nothing.
        same_way_rad: Lines whose directions differ by less run the same way, radians.
        least: A line less probable than this both ways is hardly text and says nothing, 0..1.
        most: Most that one line says: the logarithm of a ratio of odds.
        lead: How much better the turned lines must read in all, the same.
    """

    probability: float = number(0.9, 0, 1)
    sure_share: float = number(1 / 3, 0, 1)
    witnesses: int = whole(3, 0, 10_000)
    least_characters: int = whole(3, 1, 1000)
    same_way_rad: float = number(0.5, 0, 3.2)
    least: float = number(0.5, 0, 1)
    most: float = number(3.0, 0, 100)
    lead: float = number(2.0, 0, 100)


@dataclass(frozen=True, slots=True)
class OrientationSettings(CheckedSettings):
    """When a picture of one line is read turned by 90 degrees.

    Attributes:
        tall: A picture this many times as high as wide holds a line that runs upwards or downwards,
        single: unless it is a single narrow character, which is at most this many times as high.
    """

    tall: float = number(1.5, 1, 1000)
    single: float = number(3.0, 1, 1000)


@dataclass(frozen=True, slots=True)
class RetryPolicy(CheckedSettings):
    """All that rules how often and how a line is read.

    Attributes:
        photo: Lines that were found in a photo.
        crop: Pictures of one line.
        vote: How readings choose a text.
        flip: Doubtful lines that may stand on their heads.
        direction: Lines that may all stand on their heads, surely read or not.
        orientation: Pictures of one line that may be turned by 90 degrees.
    """

    photo: Retries = group(PhotoRetries)
    crop: Retries = group(CropRetries)
    vote: VoteSettings = group(VoteSettings)
    flip: FlipSettings = group(FlipSettings)
    direction: DirectionSettings = group(DirectionSettings)
    orientation: OrientationSettings = group(OrientationSettings)
