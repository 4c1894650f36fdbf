"""The plan of a sweep: groups of settings, and the rule of choice.

The groups follow one another, each with the choices of the earlier groups: first detection, then
second readings, then thresholds. In a group, settings whose score is within `TIE` of the best are
equally good; among these, settings within `CHEAP` of the least time are equally fast; among these,
the setting in use stays, otherwise the first in the list is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sdk.model.settings import FEATURES, PIXELS, DecodeSettings

__all__ = ["CHEAP", "GROUPS", "TIE", "Group", "Measured", "choose"]

TIE = 0.003
"""Difference below which scores are equal."""

CHEAP = 1.1
"""Ratio below which times are equal."""

Changes = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Settings that are tried together.

    Attributes:
        name: Name for the option ``--only`` and the table.
        measured_on: "photos", or "crops" of their lines.
        score: Measure to maximize. On photos ``"e2e"``, the harmonic mean of end-to-end precision
            and recall, or ``"H"``, that of detection; on crops ``"exact"``, the share of crops read
            exactly.
        tried: Changes to the settings, the fastest first.
    """

    name: str
    measured_on: str
    score: str
    tried: tuple[Changes, ...]


def _grid(values: dict[str, Sequence[float]]) -> tuple[Changes, ...]:
    """Return all combinations of values; the last setting varies fastest."""
    return tuple(dict(zip(values, point, strict=True)) for point in product(*values.values()))


GROUPS = (
    Group(
        "score threshold",
        "photos",
        "e2e",
        _grid({"detect.score_threshold": (0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)}),
    ),
    Group("suppression", "photos", "e2e", _grid({"detect.nms_iou": (0.1, 0.2, 0.3, 0.4, 0.5)})),
    # On photos of the detector's own size nothing changes: give photos twice as large as the frame.
    Group(
        "small text",
        "photos",
        "e2e",
        _grid(
            {
                "detect.tiles.small_share": (0.5, 0.25, 0.1),
                "detect.tiles.small_height_px": (13.0, 16.0),
            }
        ),
    ),
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
    # A line with a wrong character is still useful, a box without text is not. The threshold shall
    # separate text from background; end-to-end scores would raise it to reject difficult lines.
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
"""All groups, in the order of the sweep."""


@dataclass(frozen=True)
class Measured:
    """Measures of a setting.

    Attributes:
        changes: Changes to the settings before the group.
        ms: Mean processor time of a picture in ms.
        measures: Measures by name.
    """

    changes: Changes
    ms: float
    measures: dict[str, float]

    def is_in(self, settings: DecodeSettings) -> bool:
        """Tell whether settings have these values."""
        return all(settings.get(name) == value for name, value in self.changes.items())


def choose(tried: Sequence[Measured], score: str, now: DecodeSettings) -> Measured:
    """Return the setting that the rule of this module chooses.

    Args:
        tried: At least one, the fastest first.
        score: Name of the measure to maximize.
        now: The settings in use.
    """
    best = max(m.measures[score] for m in tried)
    good = [m for m in tried if m.measures[score] >= best - TIE]
    least = min(m.ms for m in good)
    cheap = [m for m in good if m.ms <= CHEAP * least]
    return next((m for m in cheap if m.is_in(now)), cheap[0])
