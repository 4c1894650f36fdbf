"""The likeliest text that a pattern allows, from the recognizer's logits.

A prefix beam search (Graves 2012; Hannun et al. 2014, see `sdk.recognize.ctc`) in which every
prefix also stands in a state of the pattern's automaton, and is extended only as the automaton
says. The automaton is deterministic, so a prefix has one state, and the probability that a line
ends well from there is known before: one pass from the last column to the first adds up the paths
of all texts that the pattern allows. Prefixes are ranked by what they have gathered times what is
ahead of them, which is the exact probability of all allowed texts that begin so. So few of them are
enough, and none that leads nowhere is kept.
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
"""Prefixes kept if the caller does not say."""

# Probabilities below this share of the best are not followed.
FLOOR = 1e-4

# Of the empty text: it has no class just read, and stands where 0 times anything is added.
_NO_NODE = -1


@dataclass(frozen=True)
class PatternFit:
    """The likeliest text that a pattern allows.

    Attributes:
        text: The text. A character's confidence is the highest probability its class reaches in its
            span among the classes the pattern allows in that place, and the blank.
        log_probability: Logarithm of the text's probability, the pattern not considered: of the
            paths that the search followed to it.
    """

    text: CtcText
    log_probability: float


@dataclass(frozen=True)
class _Ahead:
    """What lies ahead, by column; each row is divided by a number of its own.

    A node is a state together with the class just read: only after a blank the same class may be
    read again as a further character.
    """

    state_of_node: NDArray[np.intp]  # (nodes,), ascending
    node_of_edge: NDArray[np.intp]  # (edges,)
    edge: Doubles  # (T, edges): read the edge's class in this column and end well
    blank: Doubles  # (T + 1, states): end well from a state, after a blank
    node: Doubles  # (T + 1, nodes): end well from a node


def decode_constrained(
    log_probs: ArrayLike, charset: Charset, automaton: Automaton, beam: int = 0
) -> PatternFit | None:
    """Return the likeliest text of one line that a pattern allows.

    Args:
        log_probs: (T, classes) of the line, from `sdk.recognize.ctc.log_probabilities`.
        charset: The characters of the classes.
        automaton: The pattern.
        beam: Prefixes kept after each column; 0 takes `BEAM`.

    Returns:
        None if no allowed text fits into the columns, or only with a probability that is zero in
        double precision.
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
        width: Prefixes kept after each column, at least 1.
        floor: Ways on that lead to less than this share of a prefix's probability are not tried,
            nor are prefixes kept below this share of the best one's; 0 tries all.

    Returns:
        At most `width` pairs (class numbers, log probability), likeliest first.
    """
    probs = np.exp(np.asarray(log_probs, np.float64))
    ahead = _look_ahead(probs, automaton)
    if not ahead.blank[0, 0] > 0:
        return []
    ways = _Ways(automaton, ahead, width, floor)
    blanks, nodes = ahead.blank.tolist(), ahead.node.tolist()
    # text -> probability of its paths ending in a blank, and in its last class; its state, its node
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
                # a repeat needs a blank between, else it is the same character going on
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
    """Add up, from the last column to the first, the paths on which a text ends well."""
    states, edges = len(automaton.accepting), len(automaton.targets)
    classes = int(automaton.classes.max()) + 1
    edge_keys = automaton.sources * classes + automaton.classes
    keys, node_of_edge = np.unique(
        automaton.targets * classes + automaton.classes, return_inverse=True
    )
    state_of_node, class_of_node = keys // classes, keys % classes
    # the edge that reads a node's class once more; one past the end if there is none
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
        # after a class, all is possible that is after a blank, but the same class as a further one
        other = np.maximum(blank[t][state_of_node] - reading[again], 0.0)
        node[t] = other + by_node[t] * node[t + 1]
        largest = max(blank[t].max(), node[t].max())
        if largest > 0:  # lest a long line comes to nothing in double precision
            blank[t] /= largest
            node[t] /= largest
            ahead.edge[t] /= largest
    return ahead


class _Ways:
    """The edges worth following, by column and state."""

    def __init__(self, automaton: Automaton, ahead: _Ahead, width: int, floor: float) -> None:
        steps, states = len(ahead.edge), len(automaton.accepting)
        # compared with what is ahead without the edge too, if it is one that needs a blank before
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
        # no more can be among the best of one prefix, but for its own class, which needs a blank
        self._states, self._most = states, width + 1

    def of(self, t: int, state: int) -> list[tuple[int, int, int]]:
        """Return the class, target and node of the edges that leave a state in a column."""
        at = t * self._states + state
        low, high = self._first[at], self._first[at + 1]
        if high - low <= self._most:
            return self._ways[low:high]
        best = sorted(range(low, high), key=self._weights.__getitem__, reverse=True)
        return [self._ways[i] for i in best[: self._most]]
