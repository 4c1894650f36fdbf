"""One line of a product, followed over the frames."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from sdk.live.rover import vote_line
from sdk.metrics import edit_distance
from sdk.results import TextLine

__all__ = ["SAME_TEXT", "Track", "likeness"]

# Share of equal characters from which two readings can be of the same line.
SAME_TEXT = 0.6


def likeness(first: str, second: str) -> float:
    """Return the share of characters that two texts have in common, 0 to 1."""
    return 1 - edit_distance(first, second) / max(len(first), len(second), 1)


class Track:
    """A line, its last readings, and what they agree on.

    Attributes:
        last: The newest reading.
        age: Frames since it appeared.
        missed: Frames since it was last seen.
        voted: What the readings agree on.
    """

    def __init__(self, line: TextLine, vote: int) -> None:
        """Begin with the first reading.

        Args:
            line: The reading.
            vote: Readings that must agree on every character; twice as many less one are kept, so
                that so many new ones are a majority.
        """
        self._vote = vote
        self._lines: deque[TextLine] = deque([line], maxlen=2 * vote - 1)
        self._sightings: deque[bool] = deque([True], maxlen=2 * vote - 1)
        # readings of something else, where the line was
        self._others: list[TextLine] = []
        self.last = line
        self.age = 1
        self.missed = 0
        self.voted = vote_line([line])

    @property
    def seen(self) -> int:
        """Of the last frames, as many as readings are kept, those in which it was seen."""
        return sum(self._sightings)

    @property
    def settled(self) -> bool:
        """Whether each character has its votes."""
        return self.voted.support >= self._vote

    def add(self, line: TextLine | None) -> None:
        """Take the reading of the next frame, None if the line is not seen there."""
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
            # one such reading is a mistake, two are another product: votes for it and for the one
            # before must not be mixed
            self._others.append(line)
            if len(self._others) < min(2, self._vote):
                return
            self._lines.clear()
            self._lines.extend(self._others)
            self._others.clear()
        self.voted = vote_line(self._lines)

    def forget(self) -> None:
        """Keep only as many readings as are needed, unless these say something else."""
        lines = list(self._lines)[-self._vote :]
        voted = vote_line(lines)
        if voted.line.text == self.voted.line.text:
            self._lines.clear()
            self._lines.extend(lines)
            self.voted = voted

    def result(self) -> TextLine:
        """Return the voted line; one that lacks votes is less sure by their share."""
        line = self.voted.line
        share = min(1.0, self.voted.support / self._vote)
        chars = tuple(replace(char, confidence=char.confidence * share) for char in line.chars)
        return replace(line, confidence=line.confidence * share, chars=chars)
