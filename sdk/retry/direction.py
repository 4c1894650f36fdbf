"""The reading direction of lines that may be upside down.

A line network reads some upside-down text as another text, with a high confidence for each
character. The probability of the whole text is still lower than that of the upright text. The lines
of a page share their direction, so a few lines decide for all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sdk.geometry import angle
from sdk.model.line_probability import log_odds
from sdk.model.retry_policy import DirectionSettings
from sdk.retry.candidate import Candidate

__all__ = ["claim_of_turned", "runs", "witnesses"]

_SUREST = 1 - 1e-4
"""Probability above which a reading says no more about the direction."""


def runs(candidates: Sequence[Candidate], settings: DirectionSettings) -> list[list[int]]:
    """Return groups of lines that run the same way, as indices of the candidates."""
    groups: list[tuple[complex, list[int]]] = []
    if not candidates:
        return []
    for i, turn in enumerate(angle(np.array([x.box for x in candidates]))):
        direction = complex(math.cos(turn), math.sin(turn))
        for first, members in groups:
            if (direction * first.conjugate()).real > math.cos(settings.same_way_rad):
                members.append(i)
                break
        else:
            groups.append((direction, [i]))
    return [members for _, members in groups]


def witnesses(candidates: Sequence[Candidate], settings: DirectionSettings) -> list[int]:
    """Return the lines to read turned too, as indices. No lines if enough confirm the direction.

    Args:
        candidates: One candidate for each line of a group that runs the same way.
        settings: When a line confirms its direction, and how many lines are read turned.
    """
    telling = [i for i, x in enumerate(candidates) if _tells(x, settings)]
    unsure = [i for i in telling if candidates[i].probability < settings.probability]
    # hardly any upside-down line reaches this probability
    if len(telling) - len(unsure) >= settings.sure_share * len(telling) - 1e-9:
        return []
    longest = sorted(unsure, key=lambda i: -len(candidates[i].text.free.text))
    return longest[: settings.witnesses]


def claim_of_turned(candidate: Candidate, turned: Candidate, settings: DirectionSettings) -> float:
    """Return the evidence for the turned reading of a line: the logarithm of an odds ratio.

    The value is 0 for a line with a low probability in both directions. Its absolute value is at
    most `DirectionSettings.most`.
    """
    if max(turned.probability, candidate.probability) < settings.least:
        return 0.0
    more = log_odds(turned.probability, _SUREST) - log_odds(candidate.probability, _SUREST)
    return min(max(more, -settings.most), settings.most)


def _tells(candidate: Candidate, settings: DirectionSettings) -> bool:
    return sum(map(str.isalnum, candidate.text.free.text)) >= settings.least_characters
