"""What is tried, in which order, and the rule by which a value is chosen.

One group of settings after the other, each with what was chosen before it: first what finds lines,
then what reads them again, then what is left out. Of the settings of a group, those within `TIE` of
the best score are as good as it, and the one that takes least time is chosen; the settings as they
are win against others as good and not at least a twentieth cheaper, so that noise changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdk.model.settings import DecodeSettings

__all__ = ["GROUPS", "TIE", "Group", "Measured", "choose"]

TIE = 0.003
"""Scores this close are as good as each other."""

_CHEAPER = 0.95

Changes = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Settings that are tried together.

    Attributes:
        name: For the table.
        measured_on: "photos": harmonic mean of precision and recall, end to end; "crops": share of
            pictures of one line read exactly.
        tried: Changes to the settings.
    """

    name: str
    measured_on: str
    tried: tuple[Changes, ...]


def _each(name: str, *values: float) -> tuple[Changes, ...]:
    return tuple({name: value} for value in values)


GROUPS = (
    Group(
        "score threshold",
        "photos",
        _each("score_threshold", 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99),
    ),
    Group("suppression", "photos", _each("nms_iou", 0.1, 0.2, 0.3, 0.4, 0.5)),
    Group(
        "second look",
        "photos",
        tuple(
            {"recheck_height_px": height, "recheck_confidence": bound}
            for height in (0.0, 16.0, 24.0, 1000.0)
            for bound in (0.5, 0.8, 0.9, 0.97)
        ),
    ),
    Group(
        "turned look",
        "photos",
        tuple(
            {"flip_confidence": bound, "flip_gain": gain}
            for bound in (0.0, 0.3, 0.5, 0.7)
            for gain in (0.05, 0.1, 0.2)
        ),
    ),
    Group(
        "least confidence",
        "photos",
        _each("min_confidence", 0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    ),
    Group("parts of a crop", "crops", _each("zoom_gain", 0.02, 0.05, 0.1, 0.2, 0.3, 1.0)),
)
"""All that is swept, in this order."""


@dataclass(frozen=True)
class Measured:
    """What a setting gave.

    Attributes:
        changes: Against the settings the group started with.
        score: The higher, the better: see `Group.measured_on`.
        ms: Mean time per picture.
        measures: All measures, for the table.
    """

    changes: Changes
    score: float
    ms: float
    measures: dict[str, float]


def choose(tried: Sequence[Measured], now: DecodeSettings) -> Measured:
    """Return the setting that the rule above takes.

    Args:
        tried: At least one.
        now: The settings as they are.
    """
    best = max(m.score for m in tried)
    good = [m for m in tried if m.score >= best - TIE]
    cheapest = min(good, key=lambda m: m.ms)
    for m in good:
        as_now = all(getattr(now, name) == value for name, value in m.changes.items())
        if as_now and cheapest.ms >= _CHEAPER * m.ms:
            return m
    return cheapest
