"""The likeliest text that a pattern allows, from the recognizer's logits.

The search is a prefix beam search (Graves 2012; Hannun et al. 2014, see `sdk.recognize.ctc`). Every
prefix has a state of the pattern's automaton, and only the edges of that state extend the prefix.
The automaton is deterministic, so a prefix has exactly one state.

A backward pass from the last column to the first sums the paths of all allowed texts. This sum
gives the probability of an allowed end from each state and column. The rank of a prefix is its own
probability times the probability of an allowed end. This product is the exact probability of all
allowed texts that start with the prefix. A narrow beam is therefore enough, and no dead end is
kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.charset import BLANK, Charset
from sdk.recognize.ctc import CtcText, align, collapse
from sdk.recognize.pattern.automaton import Automaton

Doubles = NDArray[np.float64]

__all__ = ["BEAM", "PatternFit", "constrained_search", "decode_constrained"]

BEAM = 8
"""Default number of prefixes kept."""

# Prefixes and edges below this share of the best probability are not followed.
FLOOR = 1e-4

# Node of the empty text, which has no last class. Its value is always multiplied by 0.
_NO_NODE = -1


@dataclass(frozen=True)
class PatternFit:
    """The likeliest text that a pattern allows.

    Attributes:
        text: The text. A character's confidence is the highest probability of its class in its
            span, relative to the blank and the classes that the pattern allows in that place.
        log_probability: Logarithm of the text's probability without the pattern, summed over the
            paths that the search followed.
    """

    text: CtcText
    log_probability: float


@dataclass(frozen=True)
class _Ahead:
    """Probabilities of an allowed end, by column. Each row has its own scale.

    A node is a state together with the last class. The last class matters because a repeated class
    is a further character only after a blank.
    """

    state_of_node: NDArray[np.intp]  # (nodes,), ascending
    node_of_edge: NDArray[np.intp]  # (edges,)
    edge: Doubles  # (T, edges): an allowed end after reading the edge's class in this column
    blank: Doubles  # (T + 1, states): an allowed end from a state, after a blank
    node: Doubles  # (T + 1, nodes): an allowed end from a node


def decode_constrained(
    log_probs: ArrayLike, charset: Charset, automaton: Automaton, beam: int = 0
) -> PatternFit | None:
    """Return the likeliest text of one line that a pattern allows.

    Args:
        log_probs: (T, classes) of the line, from `sdk.recognize.ctc.log_probabilities`.
        charset: The characters of the classes.
        automaton: The pattern.
        beam: Number of prefixes kept after each column. 0 means `BEAM`.

    Returns:
        The text and its probability. None if no allowed text fits into the columns, or if its
        probability is zero in double precision.
    """
    log_probs = np.asarray(log_probs, np.float64)
    found = constrained_search(log_probs, automaton, beam or BEAM)
    if not found:
        return None
    ids, log_probability = found[0]
    _, first, last = collapse(align(log_probs, ids))
    confidences, state = [], 0
    for c, a, b in zip(ids, first, last, strict=True):
        low, high = automaton.first[state], automaton.first[state + 1]
        column = a + int(log_probs[a:b, c].argmax())
        allowed = np.append(automaton.classes[low:high], BLANK)
        share = np.exp(log_probs[column, c] - np.logaddexp.reduce(log_probs[column, allowed]))
        confidences.append(float(share))
        edge = low + int(np.searchsorted(automaton.classes[low:high], c))
        state = int(automaton.targets[edge])
    spans = tuple((int(a), int(b)) for a, b in zip(first, last, strict=True))
    text = CtcText(charset.decode(ids), tuple(confidences), spans, len(log_probs), tuple(ids))
    return PatternFit(text, log_probability)


def constrained_search(
    log_probs: ArrayLike, automaton: Automaton, width: int, floor: float = FLOOR
) -> list[tuple[tuple[int, ...], float]]:
    """Return the likeliest texts that a pattern allows, summed over paths.

    Args:
        log_probs: (T, classes) logarithms of probabilities.
        automaton: The pattern.
        width: Number of prefixes kept after each column, at least 1.
        floor: Edges below this share of a prefix's probability are not tried. Prefixes below this
            share of the best prefix's probability are dropped. 0 tries all.

    Returns:
        At most `width` pairs (class numbers, log probability), likeliest first.
    """
    probs = np.exp(np.asarray(log_probs, np.float64))
    ahead = _look_ahead(probs, automaton)
    if not ahead.blank[0, 0] > 0:
        return []
    ways = _Ways(automaton, ahead, width, floor)
    blanks, nodes = ahead.blank.tolist(), ahead.node.tolist()
    # text -> probabilities of its paths that end in a blank and in its last class; state and node
    beams: dict[tuple[int, ...], list[float]] = {(): [1.0, 0.0]}
    places: dict[tuple[int, ...], tuple[int, int]] = {(): (0, _NO_NODE)}
    for t, column in enumerate(probs.tolist()):
        grown: dict[tuple[int, ...], list[float]] = {}
        for text, (blank, symbol) in beams.items():
            both = blank + symbol
            entry = grown.setdefault(text, [0.0, 0.0])
            entry[0] += both * column[BLANK]
            if text:
                entry[1] += symbol * column[text[-1]]
            for c, target, node in ways.of(t, places[text][0]):
                # without a blank between, a repeat continues the same character
                before = blank if text and text[-1] == c else both
                longer = (*text, c)
                if longer not in grown:
                    grown[longer] = [0.0, 0.0]
                    places[longer] = (target, node)
                grown[longer][1] += before * column[c]
        ahead_blank, ahead_node = blanks[t + 1], nodes[t + 1]
        rank = {}
        for text, (blank, symbol) in grown.items():
            state, node = places[text]
            rank[text] = blank * ahead_blank[state] + symbol * ahead_node[node]
        best = sorted(rank, key=rank.__getitem__, reverse=True)[:width]
        least = rank[best[0]] * floor
        beams = {text: grown[text] for text in best if rank[text] > 0 and rank[text] >= least}
        if not beams:
            return []
    found = [
        (text, float(np.log(sum(p))))
        for text, p in beams.items()
        if automaton.accepting[places[text][0]] and sum(p) > 0
    ]
    return sorted(found, key=lambda pair: -pair[1])


def _look_ahead(probs: Doubles, automaton: Automaton) -> _Ahead:
    """Sum the paths that lead to an allowed end, from the last column to the first."""
    states, edges = len(automaton.accepting), len(automaton.targets)
    classes = int(automaton.classes.max()) + 1
    edge_keys = automaton.sources * classes + automaton.classes
    keys, node_of_edge = np.unique(
        automaton.targets * classes + automaton.classes, return_inverse=True
    )
    state_of_node, class_of_node = keys // classes, keys % classes
    # the edge that reads a node's class once more, or one past the last edge
    again = np.asarray(np.searchsorted(edge_keys, keys))
    again[np.append(edge_keys, -1)[again] != keys] = edges
    by_edge, by_node = probs[:, automaton.classes], probs[:, class_of_node]
    steps = len(probs)
    ahead = _Ahead(
        state_of_node,
        node_of_edge.reshape(-1),
        np.zeros((steps, edges)),
        np.zeros((steps + 1, states)),
        np.zeros((steps + 1, len(keys))),
    )
    blank, node = ahead.blank, ahead.node
    blank[-1] = automaton.accepting
    node[-1] = automaton.accepting[state_of_node]
    reading = np.zeros(edges + 1)
    for t in range(steps - 1, -1, -1):
        reading[:-1] = by_edge[t] * node[t + 1][ahead.node_of_edge]
        ahead.edge[t] = reading[:-1]
        blank[t] = probs[t, BLANK] * blank[t + 1] + np.bincount(
            automaton.sources, reading[:-1], states
        )
        # after a class everything is possible as after a blank, except the same class again
        other = np.maximum(blank[t][state_of_node] - reading[again], 0.0)
        node[t] = other + by_node[t] * node[t + 1]
        largest = max(blank[t].max(), node[t].max())
        if largest > 0:  # long lines would underflow in double precision
            blank[t] /= largest
            node[t] /= largest
            ahead.edge[t] /= largest
    return ahead


class _Ways:
    """The edges worth following, by column and state."""

    def __init__(self, automaton: Automaton, ahead: _Ahead, width: int, floor: float) -> None:
        steps, states = len(ahead.edge), len(automaton.accepting)
        # an edge may need a blank before: then the comparison is with the node's lower value
        least = ahead.blank[:-1].copy()
        reached, start = np.unique(ahead.state_of_node, return_index=True)
        lowest = np.minimum.reduceat(ahead.node[:-1], start, axis=1)
        least[:, reached] = np.minimum(least[:, reached], lowest)
        worth = (ahead.edge > 0) & (ahead.edge >= floor * least[:, automaton.sources])
        t, edge = np.nonzero(worth)
        order = t * states + automaton.sources[edge]
        self._first = np.searchsorted(order, np.arange(steps * states + 1)).tolist()
        self._weights = ahead.edge[t, edge].tolist()
        columns = automaton.classes[edge], automaton.targets[edge], ahead.node_of_edge[edge]
        self._ways = list(zip(*(c.tolist() for c in columns), strict=True))
        # one more than the beam, because the prefix's own last class needs a blank
        self._states, self._most = states, width + 1

    def of(self, t: int, state: int) -> list[tuple[int, int, int]]:
        """Return the class, target and node of the edges that leave a state in a column."""
        at = t * self._states + state
        low, high = self._first[at], self._first[at + 1]
        if high - low <= self._most:
            return self._ways[low:high]
        best = sorted(range(low, high), key=self._weights.__getitem__, reverse=True)
        return [self._ways[i] for i in best[: self._most]]
