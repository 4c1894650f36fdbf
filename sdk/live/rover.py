"""One line from several readings, by a vote over each character.

The readings are aligned one after the other into a row of columns, as ROVER does with the words of
several speech recognizers (Fiscus 1997, "A post-processing system to yield reduced word error
rates"). An additional character of a reading makes a new column, in which the other readings have
no character. A missing character is a vote for no character. Each vote is weighted by the
character's confidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sdk.results import Char, Quad, TextLine

__all__ = ["VotedLine", "vote_line"]

NONE = ""


@dataclass(frozen=True, slots=True)
class VotedLine:
    """The result of a vote of several readings of a line.

    Attributes:
        line: The line. Its quad is that of the newest reading.
        support: Number of readings for the least supported character or missing character.
    """

    line: TextLine
    support: int


@dataclass(slots=True)
class _Column:
    """The votes for one character of the line: the confidences of each possible character."""

    votes: dict[str, list[float]] = field(default_factory=dict)
    quad: Quad | None = None

    def add(self, character: str, confidence: float) -> None:
        self.votes.setdefault(character, []).append(confidence)

    def against(self) -> dict[str, float]:
        """Return the share of the weighted votes against each character."""
        sums = {character: sum(votes) for character, votes in self.votes.items()}
        total = sum(sums.values()) or 1.0
        return {character: 1 - weight / total for character, weight in sums.items()}

    def winner(self) -> str:
        if len(self.votes) == 1:
            return next(iter(self.votes))
        return max(self.votes, key=lambda character: sum(self.votes[character]))

    def confidence(self, character: str) -> float:
        """Return the mean confidence of the votes for a character, lowered by votes against it."""
        votes = self.votes[character]
        return sum(votes) / len(votes) * (1 - self.against()[character])


Pair = tuple[_Column | None, Char | None]


def vote_line(lines: Sequence[TextLine]) -> VotedLine:
    """Return the result of a vote of readings.

    Args:
        lines: Readings of the same line, at least one, the newest last.

    Returns:
        The line. A text that no single reading has does not count as fitting a pattern. The line's
        probability is the mean over the readings, in which another text counts 0. For a text that
        no single reading has, it is the product of the characters' confidences.
    """
    newest = lines[-1]
    columns: list[_Column] = []
    weights: list[float] = []
    # highest confidence first: the characters of this reading are the first columns
    for line in sorted(lines, key=lambda line: line.confidence, reverse=True):
        _add(columns, line, weights, keep_quads=line is newest)
        weights.append(line.confidence)
    chars = []
    support = len(lines)
    for column in columns:
        character = column.winner()
        support = min(support, len(column.votes[character]))
        if character != NONE:
            chars.append(Char(character, column.confidence(character), column.quad))
    logs = [math.log(max(char.confidence, 1e-9)) for char in chars]
    text = "".join(char.text for char in chars)
    # the result of a pattern is valid only for the text that was read
    agreeing = [line for line in lines if line.text == text]
    same = agreeing[-1] if agreeing else None
    asked = newest.pattern_ok is not None
    line = replace(
        newest,
        text=text,
        raw_text=newest.raw_text if same is None else same.raw_text,
        pattern_ok=(False if asked else None) if same is None else same.pattern_ok,
        confidence=math.exp(sum(logs) / len(logs)) if logs else 0.0,
        chars=tuple(chars),
        probability=sum(x.probability for x in agreeing) / len(lines) if agreeing else math.nan,
    )
    return VotedLine(line, support)


def _add(columns: list[_Column], line: TextLine, weights: list[float], *, keep_quads: bool) -> None:
    """Add the votes of one reading. `weights` are the weights of the earlier readings."""
    row: list[_Column] = []
    for column, char in _align(columns, _chars(line)):
        target = column or _Column({NONE: list(weights)} if weights else {})
        if char is None:
            target.add(NONE, line.confidence)
        else:
            target.add(char.text, char.confidence)
            if keep_quads:
                target.quad = char.quad
        row.append(target)
    columns[:] = row


def _chars(line: TextLine) -> tuple[Char, ...]:
    return line.chars or tuple(Char(text, line.confidence) for text in line.text)


def _align(columns: Sequence[_Column], chars: Sequence[Char]) -> list[Pair]:
    """Pair columns and characters in order, with None for a missing partner.

    Equal characters at the start and at the end are paired first, because readings differ in few
    places.
    """
    winners = [column.winner() for column in columns]
    start = 0
    shorter = min(len(columns), len(chars))
    while start < shorter and winners[start] == chars[start].text:
        start += 1
    end = 0
    while end < shorter - start and winners[-1 - end] == chars[-1 - end].text:
        end += 1
    stop, last = len(columns) - end, len(chars) - end
    return [
        *zip(columns[:start], chars[:start], strict=True),
        *_align_differing(columns[start:stop], chars[start:last]),
        *zip(columns[stop:], chars[last:], strict=True),
    ]


def _align_differing(columns: Sequence[_Column], chars: Sequence[Char]) -> list[Pair]:
    """Pair columns and characters at the least cost.

    A character, or no character, costs the share of votes against it in its column. A new column
    costs 1. For columns of a single vote the cost is the edit distance.
    """
    against = [column.against() for column in columns]
    skip = [votes.get(NONE, 1.0) for votes in against]
    cost = [[float(j) for j in range(len(chars) + 1)]]
    for i, votes in enumerate(against):
        above, row = cost[i], [cost[i][0] + skip[i]]
        for j, char in enumerate(chars):
            paired = above[j] + votes.get(char.text, 1.0)
            row.append(min(paired, above[j + 1] + skip[i], row[j] + 1.0))
        cost.append(row)
    pairs: list[Pair] = []
    i, j = len(columns), len(chars)
    while i or j:
        here = cost[i][j]
        if i and j and here == cost[i - 1][j - 1] + against[i - 1].get(chars[j - 1].text, 1.0):
            i, j = i - 1, j - 1
            pairs.append((columns[i], chars[j]))
        elif i and here == cost[i - 1][j] + skip[i - 1]:
            i -= 1
            pairs.append((columns[i], None))
        else:
            j -= 1
            pairs.append((None, chars[j]))
    return pairs[::-1]
