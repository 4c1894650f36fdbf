"""`RetryPolicy`: when a line is read again, from which views, and how its readings vote."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.model.fields import CheckedSettings, flag, group, number, parsed, whole
from sdk.model.views import (
    GREEN,
    SOFT,
    BandView,
    CandidateView,
    PartView,
    parse_views,
    plain_views,
)

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

# In order of use, the most useful view first, measured on generated photos and crops.
_PHOTO_VIEWS = (
    PartView(-0.1, 1.1, 0.15),
    PartView(side=0.1, stretch=1.2),
    PartView(0.06, 0.94),
    PartView(side=0.1, stretch=0.85),
    BandView(margin=0.15, room=0.25),
)
_CROP_VIEWS = (
    PartView(pitch=16.0),
    BandView(margin=0.12, side=0.1),
    BandView(margin=0.12, side=0.1, bent=True),
    BandView(margin=0.3, side=0.1, bent=True),
    BandView(margin=0.12, side=0.1, stretch=1.2, bent=True, max_aspect=6.0),
    PartView(0.1, 0.9),
    PartView(side=0.15, stretch=1.25),
    PartView(0.15, 1.0),
    PartView(pitch=16.0, tone=GREEN),
    PartView(pitch=16.0, tone=SOFT),
    BandView(margin=0.3, side=0.1, bent=True, tone=GREEN),
    BandView(margin=0.3, side=0.1, bent=True, tone=SOFT),
    PartView(tone=SOFT),
    PartView(rise=-0.3),
    PartView(rise=0.5),
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
        confidence: A line with a lower confidence is read from the views, 0..1.
        hopeless: A line with a lower confidence is not read from the views, 0..1. With a pattern
            this bound does not apply, because a view may fit the pattern.
        known_confidence: Bound in place of `confidence`, where it is lower, for a line all of whose
            letters and digits stand in known words, see `sdk.recognize.vocabulary`, 0..1.
        squeeze: Largest factor, 1 and up, by which a view's line crop is narrowed to fit the next
            smaller width of the line graph.
        until_fit: With a pattern, read all views if no reading fits the pattern with `confidence`.
        views: Candidate views in order of use. With an empty list each line is read once.
    """

    confidence: float = number(0.95, 0, 1)
    hopeless: float = number(0.0, 0, 1)
    known_confidence: float = number(1.0, 0, 1)
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
        lead: Voting ends when the best text leads the second by this many votes. A reading of
            confidence 1 has one vote. With 0 voting ends after the first reading.
        power: A reading of confidence p has p ** power votes. With the default, two readings of 0.9
            outvote one of 0.95, and two of 0.7 do not.
        single_character_readings: Number of first readings of a line that may vote for a single
            character. Later views often show only one of several large characters.
        language_weight: Weight of the language model's log probability of a text beside that of the
            readings, see `sdk.recognize.language`. 0 leaves the choice to the readings.
        language_bonus: Bonus for each character of a text, in nats: the language model finds every
            longer text less probable.
        word_bonus: Bonus for each letter in a known word, in nats, see `sdk.recognize.vocabulary`.
            Known words may then replace similar unknown ones, unless the caller gives a charset or
            a pattern. 0 leaves the choice to the readings.
        frequency_bonus: Further bonus for each letter and level of frequency of its word, in nats.
        vehicle_bonus: Bonus for a well-formed vehicle number beside known words, in nats, see
            `sdk.recognize.vehicle`. It may then replace a similar text.
    """

    lead: float = number(2.0, 0, 100)
    power: float = number(8, 1, 64)
    single_character_readings: int = whole(2, 0, 1000)
    language_weight: float = number(0.0, 0, 2)
    language_bonus: float = number(0.0, 0, 5)
    word_bonus: float = number(0.0, 0, 5)
    frequency_bonus: float = number(0.0, 0, 5)
    vehicle_bonus: float = number(0.0, 0, 50)


@dataclass(frozen=True, slots=True)
class FlipSettings(CheckedSettings):
    """When a line of low confidence is read turned by 180 degrees.

    Attributes:
        confidence: A line with a lower confidence after the vote is read turned, 0..1.
        gain: Difference in confidence by which the turned reading must win, 0..1.
        most_lines: Largest number of lines of a photo that are read turned for this reason.
    """

    confidence: float = number(0.7, 0, 1)
    gain: float = number(0.1, 0, 1)
    most_lines: int = whole(16, 0, 10_000)


@dataclass(frozen=True, slots=True)
class DirectionSettings(CheckedSettings):
    """How the direction of lines that run the same way is judged, see `sdk.retry.direction`.

    Attributes:
        probability: A line confirms its direction if its whole text has at least this probability,
            0..1. With 0 every line confirms its direction.
        sure_share: With at least this share of confirming lines, no line is read turned, 0..1.
        witnesses: Largest number of lines that are read turned to judge the direction of all.
        least_characters: Lines with fewer letters and digits do not count.
        same_way_rad: Lines whose directions differ by less run the same way, radians.
        least: A line with a lower probability in both directions is not text and does not count,
            0..1.
        most: Largest contribution of one line, the logarithm of an odds ratio.
        lead: Sum of the contributions that turns all lines, the logarithm of an odds ratio.
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
        tall: A picture with at least this ratio of height to width holds a line that runs upwards
            or downwards, or a single narrow character.
        single: Largest ratio of height to width of a single narrow character.
    """

    tall: float = number(1.5, 1, 1000)
    single: float = number(3.0, 1, 1000)


@dataclass(frozen=True, slots=True)
class RetryPolicy(CheckedSettings):
    """All settings that control how often and how a line is read.

    Attributes:
        photo: Retries for lines that were found in a photo.
        crop: Retries for pictures of one line.
        vote: How the readings of a line choose its text.
        flip: Retries for single lines of low confidence, which may be upside down.
        direction: Retries for photos whose lines may all be upside down.
        orientation: Retries for pictures of one line that may be turned by 90 degrees.
    """

    photo: Retries = group(PhotoRetries)
    crop: Retries = group(CropRetries)
    vote: VoteSettings = group(VoteSettings)
    flip: FlipSettings = group(FlipSettings)
    direction: DirectionSettings = group(DirectionSettings)
    orientation: OrientationSettings = group(OrientationSettings)
