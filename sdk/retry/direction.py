"""Which way lines are read that may stand on their heads.

A line network reads much text on its head as other text, and each of its characters surely; that
the whole of it is right, it says less surely than of the upright text. Lines of one page share
their direction, so a few of them tell that of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sdk.geometry import angle
from sdk.model.settings import DecodeSettings
from sdk.retry.look import Look

__all__ = ["claim_of_turned", "runs", "witnesses"]

# Of fewer characters too many read like others on their heads.
LEAST_CHARACTERS = 3
# Lines whose directions differ by less run the same way.
SAME_RUN_RAD = 0.5


def runs(looks: Sequence[Look]) -> list[list[int]]:
    """Return the positions of lines that run the same way, group by group."""
    groups: list[tuple[complex, list[int]]] = []
    for i, turn in enumerate(angle(np.array([look.quad for look in looks])) if looks else ()):
        direction = complex(math.cos(turn), math.sin(turn))
        for first, members in groups:
            if (direction * first.conjugate()).real > math.cos(SAME_RUN_RAD):
                members.append(i)
                break
        else:
            groups.append((direction, [i]))
    return [members for _, members in groups]


def witnesses(looks: Sequence[Look], settings: DecodeSettings) -> list[int]:
    """Return the positions of the lines to read turned as well; none if enough are sure.

    Args:
        looks: At lines that run the same way.
        settings: How sure a line must be to vouch for its direction, and how many are asked.
    """
    telling = [i for i, look in enumerate(looks) if _tells(look)]
    unsure = [i for i in telling if looks[i].probability < settings.flip_probability]
    # on its head hardly any line is that sure
    if 3 * (len(telling) - len(unsure)) >= len(telling):
        return []
    return sorted(unsure, key=lambda i: -len(looks[i].text.free.text))[: settings.flip_witnesses]


def claim_of_turned(look: Look, turned: Look, settings: DecodeSettings) -> float:
    """Return how much more probable a line reads turned: the logarithm of a ratio of odds.

    0 for a line that reads badly both ways; a line says no more than `flip_most`.
    """
    if max(turned.probability, look.probability) < settings.flip_least:
        return 0.0
    more = _log_odds(turned.probability) - _log_odds(look.probability)
    return min(max(more, -settings.flip_most), settings.flip_most)


def _tells(look: Look) -> bool:
    return sum(map(str.isalnum, look.text.free.text)) >= LEAST_CHARACTERS


def _log_odds(probability: float) -> float:
    p = min(max(probability, 1e-9), 1 - 1e-4)
    return math.log(p / (1 - p))
