"""One line of a product, followed over frames."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from sdk.live.rover import vote_line
from sdk.metrics import edit_distance
from sdk.results import TextLine

__all__ = ["SAME_TEXT", "Track", "likeness"]

# Least share of equal characters in two readings of the same line.
SAME_TEXT = 0.6


def likeness(first: str, second: str) -> float:
    """Return the share of characters that two texts have in common, 0 to 1."""
    return 1 - edit_distance(first, second) / max(len(first), len(second), 1)


class Track:
    """A line, its last readings, and their vote.

    Attributes:
        last: The newest reading.
        age: Number of frames since the line appeared.
        missed: Number of frames since the line was last seen.
        voted: Result of the vote.
    """

    def __init__(self, line: TextLine, vote: int) -> None:
        """Start with the first reading.

        Args:
            line: The reading.
            vote: Number of readings that must agree on every character. 2 * vote - 1 readings are
                kept, so that `vote` new readings are a majority.
        """
        self._vote = vote
        self._lines: deque[TextLine] = deque([line], maxlen=2 * vote - 1)
        self._sightings: deque[bool] = deque([True], maxlen=2 * vote - 1)
        # readings of another text in the place of the line
        self._others: list[TextLine] = []
        self.last = line
        self.age = 1
        self.missed = 0
        self.voted = vote_line([line])

    @property
    def seen(self) -> int:
        """Number of sightings in the last 2 * vote - 1 frames."""
        return sum(self._sightings)

    @property
    def settled(self) -> bool:
        """Whether each character has enough votes."""
        return self.voted.support >= self._vote

    def add(self, line: TextLine | None) -> None:
        """Add the reading of the next frame, None if the line is not seen there."""
        self.age += 1
        self._sightings.append(line is not None)
        if line is None:
            self.missed += 1
            return
        self.missed, self.last = 0, line
        if likeness(line.text, self.voted.line.text) >= SAME_TEXT:
            self._others.clear()
            self._lines.append(line)
        else:
            # One such reading is an error, two show another product. The votes of two products
            # must not be mixed.
            self._others.append(line)
            if len(self._others) < min(2, self._vote):
                return
            self._lines.clear()
            self._lines.extend(self._others)
            self._others.clear()
        self.voted = vote_line(self._lines)

    def forget(self) -> None:
        """Keep only the last `vote` readings, unless their vote gives another text."""
        lines = list(self._lines)[-self._vote :]
        voted = vote_line(lines)
        if voted.line.text == self.voted.line.text:
            self._lines.clear()
            self._lines.extend(lines)
            self.voted = voted

    def result(self) -> TextLine:
        """Return the voted line. Missing votes lower its confidences proportionally."""
        line = self.voted.line
        share = min(1.0, self.voted.support / self._vote)
        chars = tuple(replace(char, confidence=char.confidence * share) for char in line.chars)
        return replace(
            line,
            confidence=line.confidence * share,
            chars=chars,
            probability=line.probability * share,
        )
