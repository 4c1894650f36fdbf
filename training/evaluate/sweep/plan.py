"""What is tried, in which order, and the rule by which a value is chosen.

One group of settings after the other, each with what was chosen before it: first what finds lines,
then what reads them again, then what is left out. In a group, settings whose score is within `TIE`
of the best are as good as it; of these, settings within `CHEAP` of the least time are as cheap as
it; of these, the one in use stays, else the first listed is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sdk.model.settings import FEATURES, PIXELS, DecodeSettings

__all__ = ["CHEAP", "GROUPS", "TIE", "Group", "Measured", "choose"]

TIE = 0.003
"""Scores this close are as good as each other."""

CHEAP = 1.1
"""Times this many times as long are as short as each other."""

Changes = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Settings that are tried together.

    Attributes:
        name: For the table.
        measured_on: "photos", or "crops" of their lines.
        score: Measure to make great. On photos ``"e2e"``, the harmonic mean of precision and recall
            of lines found and read, or ``"H"``, that of lines found; on crops ``"exact"``, the
            share read exactly.
        tried: Changes to the settings, the least work first.
    """

    name: str
    measured_on: str
    score: str
    tried: tuple[Changes, ...]


def _grid(values: dict[str, Sequence[float]]) -> tuple[Changes, ...]:
    """Return all combinations of settings' values, the last setting varying fastest."""
    return tuple(dict(zip(values, point, strict=True)) for point in product(*values.values()))


GROUPS = (
    Group(
        "score threshold",
        "photos",
        "e2e",
        _grid({"detect.score_threshold": (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)}),
    ),
    Group("suppression", "photos", "e2e", _grid({"detect.nms_iou": (0.1, 0.2, 0.3, 0.4, 0.5)})),
    Group(
        "lines from pixels",
        "photos",
        "e2e",
        (
            {"recognize.source": FEATURES},
            *_grid({"recognize.features_min_height_px": (0.0, 16.0, 24.0)}),
            {"recognize.source": PIXELS},
        ),
    ),
    Group(
        "candidate views",
        "photos",
        "e2e",
        (
            {"retry.photo.views": ()},
            *_grid({"retry.photo.confidence": (0.5, 0.8, 0.9, 0.95, 0.97)}),
        ),
    ),
    Group(
        "hopeless lines",
        "photos",
        "e2e",
        _grid({"retry.photo.hopeless": (0.8, 0.7, 0.6, 0.4, 0.0)}),
    ),
    Group(
        "doubtful lines turned",
        "photos",
        "e2e",
        (
            {"retry.flip.confidence": 0.0},
            *_grid({"retry.flip.confidence": (0.3, 0.5, 0.7), "retry.flip.gain": (0.05, 0.1, 0.2)}),
        ),
    ),
    # A line with a wrong character is still of use; what is no text is not. So the bound is to
    # part lines from what is none, which end-to-end scores would push up to leave out hard lines.
    Group(
        "least confidence",
        "photos",
        "H",
        _grid({"recognize.min_confidence": [n / 10 for n in range(10)]}),
    ),
    Group(
        "candidate views of a crop",
        "crops",
        "exact",
        (
            {"retry.vote.lead": 0.0},
            *_grid(
                {
                    "retry.crop.confidence": (0.9, 0.97, 0.99),
                    "retry.vote.lead": (0.6, 1.2, 1.8, 2.5),
                }
            ),
        ),
    ),
    Group(
        "weight of votes",
        "crops",
        "exact",
        _grid({"retry.vote.power": (4, 8, 16)}),
    ),
)
"""All that is swept, in this order."""


@dataclass(frozen=True)
class Measured:
    """What a setting gave.

    Attributes:
        changes: Against the settings the group started with.
        ms: Mean processor time per picture.
        measures: By name.
    """

    changes: Changes
    ms: float
    measures: dict[str, float]

    def is_in(self, settings: DecodeSettings) -> bool:
        """Tell whether settings have these values already."""
        return all(settings.get(name) == value for name, value in self.changes.items())


def choose(tried: Sequence[Measured], score: str, now: DecodeSettings) -> Measured:
    """Return the setting that the rule above takes.

    Args:
        tried: At least one, the least work first.
        score: Name of the measure to make great.
        now: The settings in use.
    """
    best = max(m.measures[score] for m in tried)
    good = [m for m in tried if m.measures[score] >= best - TIE]
    least = min(m.ms for m in good)
    cheap = [m for m in good if m.ms <= CHEAP * least]
    return next((m for m in cheap if m.is_in(now)), cheap[0])
