"""Several looks at one line, and what they agree on.

A small network errs differently on each cut of the same line. The looks vote for their texts, sure
ones with more weight, until one text is far enough ahead; then what they say is averaged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdk.geometry import side_lengths, slice_quads, slice_rows
from sdk.recognize.forward import text_probabilities
from sdk.retry.look import Look

__all__ = ["WHOLE", "Election", "Part", "elect"]

# A look of confidence p has p ** 8 votes: two of 0.9 outvote one of 0.95, two of 0.7 do not.
POWER = 8
# From the third look on, a single character has no vote: many cuts through larger ones look so.
TRUSTED = 2


@dataclass(frozen=True, slots=True)
class Part:
    """What of a line a look reads.

    Attributes:
        top: Where it begins, as a share of the line's height; negative above the line.
        bottom: Where it ends.
        side: What is added before and behind the line, as a share of its height.
        stretch: Horizontal scale of the strip.
        rise: How far the text climbs from its start to its end, as a share of the line's height,
            -1..1; what lies above and below it at the ends is left out.
    """

    top: float = 0.0
    bottom: float = 1.0
    side: float = 0.0
    stretch: float = 1.0
    rise: float = 0.0

    def cut(self, quad: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return this part of a line's quad, float32 (4, 2)."""
        quad = _tilted(quad, self.rise)
        across, height = (max(float(x), 1e-6) for x in side_lengths(quad))
        more = self.side * height / across
        [wider] = slice_quads(quad, [-more], [1 + more])
        return slice_rows(wider, self.top, self.bottom)


def _tilted(quad: NDArray[np.float32], rise: float) -> NDArray[np.float32]:
    up, down = max(rise, 0.0), max(-rise, 0.0)
    shares = np.array([[up], [down], [up], [down]], np.float32)
    return quad + (quad[[3, 2, 1, 0]] - quad) * shares


WHOLE = Part()


class Election:
    """Looks at one line, counted one by one until one text is far enough ahead."""

    def __init__(self, lead: float) -> None:
        """Begin without a look.

        Args:
            lead: Votes ahead of the second text that end the election early.
        """
        self._lead = lead
        self._offered = 0
        self._counted: list[Look] = []
        self._votes: dict[str, float] = {}
        self._surest: dict[str, Look] = {}
        self.is_over = False

    def add(self, look: Look) -> None:
        """Count a look, unless the election is over."""
        text, votes = look.text.free.text, self._votes
        self._offered += 1
        if self.is_over or (self._offered > TRUSTED and len(text) < 2):
            return
        self._counted.append(look)
        # an empty strip is surely empty: that is no vote against a text
        votes[text] = votes.get(text, 0.0) + (look.confidence**POWER if text.strip() else 0.0)
        if text not in self._surest or look.confidence > self._surest[text].confidence:
            self._surest[text] = look
        first, second, *_ = (*sorted(votes.values(), reverse=True), 0.0)
        self.is_over = first - second >= self._lead

    def elected(self) -> Look:
        """Return the surest look at the text that is likeliest by all looks together.

        Votes tell how many looks are worth taking, since they cost next to nothing. Of the texts
        that were read, the one with the highest mean of its probabilities under the looks is taken:
        a look that reads something else still says how likely it is.
        """
        votes, surest = self._votes, self._surest
        texts = [text for text in votes if text.strip()]
        readings = [x.text.log_probs for x in self._counted if x.text.log_probs is not None]
        if len(texts) > 1:
            likely = text_probabilities(readings, [surest[text].text.ids for text in texts]).sum(0)
            # where all are too improbable to tell, the votes decide
            rank = dict(zip(texts, likely.tolist(), strict=True))
            return surest[max(texts, key=lambda text: (rank[text], votes[text]))]
        return surest[max(votes, key=lambda text: votes[text])]


def elect(looks: Iterable[Look], lead: float) -> Look:
    """Return the look that an election chooses.

    Args:
        looks: At least one; taken one by one until the election is over.
        lead: See `Election`.
    """
    election = Election(lead)
    for look in looks:
        election.add(look)
        if election.is_over:
            break
    return election.elected()
