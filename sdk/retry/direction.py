"""Which way lines are read that may stand on their heads.

A line network reads much text that stands on its head as other text, and is sure of each
character. The probability of the whole text is lower than that of the upright text. Lines of one
page share their direction, so a few of them tell the direction of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sdk.geometry import angle
from sdk.model.retry_policy import DirectionSettings
from sdk.retry.candidate import Candidate

__all__ = ["claim_of_turned", "runs", "witnesses"]


def runs(candidates: Sequence[Candidate], settings: DirectionSettings) -> list[list[int]]:
    """Return the positions of lines that run the same way, group by group."""
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
    """Return the positions of the lines to read turned as well; none if enough are sure.

    Args:
        candidates: Of lines that run the same way, one each.
        settings: How sure a line must be to vouch for its direction, and how many are asked.
    """
    telling = [i for i, x in enumerate(candidates) if _tells(x, settings)]
    unsure = [i for i in telling if candidates[i].probability < settings.probability]
    # on its head hardly any line is that sure
    if len(telling) - len(unsure) >= settings.sure_share * len(telling) - 1e-9:
        return []
    longest = sorted(unsure, key=lambda i: -len(candidates[i].text.free.text))
    return longest[: settings.witnesses]


def claim_of_turned(candidate: Candidate, turned: Candidate, settings: DirectionSettings) -> float:
    """Return how much more probable a line reads turned: the logarithm of a ratio of odds.

    The claim is 0 for a line that reads badly both ways, and `DirectionSettings.most` at most.
    """
    if max(turned.probability, candidate.probability) < settings.least:
        return 0.0
    more = _log_odds(turned.probability) - _log_odds(candidate.probability)
    return min(max(more, -settings.most), settings.most)


def _tells(candidate: Candidate, settings: DirectionSettings) -> bool:
    return sum(map(str.isalnum, candidate.text.free.text)) >= settings.least_characters


def _log_odds(probability: float) -> float:
    p = min(max(probability, 1e-9), 1 - 1e-4)
    return math.log(p / (1 - p))
