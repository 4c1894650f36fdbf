"""Patterns as deterministic finite automata over the classes of a charset.

The subset construction (Rabin and Scott 1959) turns the nondeterministic automaton of a pattern
into a deterministic one. States from which no accepting state can be reached are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sdk.charset import Charset
from sdk.errors import OptionError
from sdk.recognize.pattern import regex
from sdk.recognize.pattern.nfa import Nfa, too_large
from sdk.recognize.pattern.template import Template

__all__ = ["Automaton", "Pattern", "compile_pattern"]

MAX_STATES = 2000
# The search keeps two numbers for each edge and column of the network's output.
MAX_EDGES = 20_000
# Steps of the subset construction, about a second. A small pattern may need many steps.
MAX_STEPS = 3_000_000
# Parts of the pattern. More parts would take long to compile.
MAX_PARTS = 20_000

Ints = NDArray[np.intp]
Pattern = str | Template
"""A regular expression or a template."""


@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """A deterministic automaton. Every state can reach an accepting state.

    State 0 is the start. It never accepts, because a text has at least one character. Edges are
    ordered by their source.

    Attributes:
        accepting: bool (states,), whether a text may end in the state.
        first: int (states + 1,), the edges of state s are ``first[s]`` to ``first[s + 1] - 1``.
        sources: int (edges,), state that each edge leaves.
        classes: int (edges,), class of the charset that each edge reads, 1 and up.
        targets: int (edges,), state that each edge leads to.
    """

    accepting: NDArray[np.bool_]
    first: Ints
    sources: Ints
    classes: Ints
    targets: Ints

    @classmethod
    def of(cls, edges: Sequence[Mapping[int, int]], accepting: Sequence[bool]) -> Automaton:
        """Return the automaton of some states.

        Args:
            edges: Targets by class, one mapping for each state.
            accepting: Whether a text may end in each state.
        """
        ordered = [sorted(out.items()) for out in edges]
        flat = np.array(
            [(s, c, t) for s, out in enumerate(ordered) for c, t in out], np.intp
        ).reshape(-1, 3)
        first = np.cumsum([0, *(len(out) for out in ordered)])
        return cls(
            np.array(accepting, bool),
            first,
            flat[:, 0].copy(),
            flat[:, 1].copy(),
            flat[:, 2].copy(),
        )

    def matches(self, ids: Iterable[int]) -> bool:
        """Return whether a text of class numbers is accepted."""
        state = 0
        for c in ids:
            low, high = self.first[state], self.first[state + 1]
            at = low + int(np.searchsorted(self.classes[low:high], c))
            if at == high or self.classes[at] != c:
                return False
            state = int(self.targets[at])
        return bool(self.accepting[state])


def compile_pattern(
    pattern: Pattern | Sequence[Pattern], charset: Charset, allowed: str | None = None
) -> Automaton:
    """Return the automaton of a pattern, or of several alternative patterns.

    Args:
        pattern: A regular expression, a template, or a sequence of both.
        charset: Charset of the model.
        allowed: Characters that may occur. None allows the whole charset.

    Raises:
        OptionError: A pattern is invalid, not supported or too large, or no text of at least one
            allowed character matches.
    """
    alternatives = (pattern,) if isinstance(pattern, str | Template) else pattern
    if not isinstance(alternatives, list | tuple) or not alternatives:
        raise OptionError(
            f"pattern is {pattern!r}. Give a regular expression, a Template, or a list of them."
        )
    for one in alternatives:
        if not isinstance(one, str | Template):
            raise OptionError(f"pattern holds {one!r}. Give regular expressions and Templates.")
    return _compile(tuple(alternatives), charset, allowed)


# A series of pictures is read with the same pattern.
@lru_cache(maxsize=32)
def _compile(alternatives: tuple[Pattern, ...], charset: Charset, allowed: str | None) -> Automaton:
    symbols = charset.symbols if allowed is None else allowed
    trees = [
        regex.parse(p.regex if isinstance(p, Template) else p, charset.symbols)
        for p in alternatives
    ]
    shown = ", ".join(repr(p.text if isinstance(p, Template) else p) for p in alternatives)
    nfa = Nfa(regex.Choice(tuple(trees)), shown, MAX_PARTS)
    classes = {c: int(charset.encode(c)[0]) for c in symbols}
    edges, accepting = _determine(nfa, classes)
    edges, accepting = _trim(edges, accepting)
    if not edges[0]:
        raise OptionError(
            f"pattern is {shown}: no text of the allowed characters matches it. "
            f"The model knows: {charset.symbols!r}."
        )
    return Automaton.of(edges, accepting)


def _determine(nfa: Nfa, classes: dict[str, int]) -> tuple[list[dict[int, int]], list[bool]]:
    """Return the edges of the deterministic automaton by state and class, and what accepts."""
    start = nfa.closure([0])
    # the start is a separate state, because a later state with the same parts may accept
    found: dict[frozenset[int] | None, int] = {None: 0}
    waiting: list[frozenset[int]] = [start]
    edges: list[dict[int, int]] = []
    accepting: list[bool] = []
    count = 0
    while len(edges) < len(waiting):
        states = waiting[len(edges)]
        accepting.append(nfa.end in states and bool(edges))
        edges.append({})
        for characters, targets in nfa.readings(states, classes):
            after = nfa.closure(targets)
            if after not in found:
                found[after] = len(waiting)
                waiting.append(after)
            edges[-1].update(dict.fromkeys((classes[c] for c in characters), found[after]))
            count += len(characters)
            if len(waiting) > MAX_STATES or count > MAX_EDGES or nfa.steps > MAX_STEPS:
                raise too_large(nfa.shown)
    return edges, accepting


def _trim(
    edges: list[dict[int, int]], accepting: list[bool]
) -> tuple[list[dict[int, int]], list[bool]]:
    """Drop the states from which no accepting state can be reached, except the start."""
    before: list[list[int]] = [[] for _ in edges]
    for state, out in enumerate(edges):
        for target in out.values():
            before[target].append(state)
    alive = {state for state, yes in enumerate(accepting) if yes}
    waiting = list(alive)
    while waiting:
        for state in before[waiting.pop()]:
            if state not in alive:
                alive.add(state)
                waiting.append(state)
    kept = sorted(alive | {0})
    number = {state: i for i, state in enumerate(kept)}
    return (
        [{c: number[t] for c, t in edges[s].items() if t in alive} for s in kept],
        [accepting[s] for s in kept],
    )
