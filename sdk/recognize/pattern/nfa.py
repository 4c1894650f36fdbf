"""Patterns as nondeterministic finite automata.

As in Thompson 1968, "Regular Expression Search Algorithm", all states that a text can lead to are
followed at the same time. A match takes at most as many steps as the pattern's parts times the
text's characters.
"""

from __future__ import annotations

from collections.abc import Iterable

from sdk.errors import OptionError
from sdk.recognize.pattern import regex

__all__ = ["Nfa", "too_large"]


class Nfa:
    """The automaton of a syntax tree. State 0 is the start.

    Attributes:
        end: The state in which a text may end.
        shown: The pattern as error messages show it.
        steps: Number of steps so far, for callers that limit the work.
    """

    def __init__(self, tree: regex.Node, shown: str, max_parts: int) -> None:
        """Build the automaton.

        Args:
            tree: The pattern.
            shown: The pattern as error messages show it.
            max_parts: Largest number of states.

        Raises:
            OptionError: The automaton has more states.
        """
        self.shown = shown
        self.steps = 0
        self._max_parts = max_parts
        self._silent: list[list[int]] = [[]]
        self._reading: list[tuple[frozenset[str], int] | None] = [None]
        self.end = self._build(tree, 0)

    def matches(self, text: str) -> bool:
        """Return whether a whole text matches."""
        states = self.closure([0])
        for character in text:
            reached = [targets for _, targets in self.readings(states, character)]
            states = self.closure(reached[0]) if reached else frozenset()
        return self.end in states

    def closure(self, states: Iterable[int]) -> frozenset[int]:
        """Return the reading states and dead ends that are reached without reading."""
        seen, waiting = set(states), list(states)
        while waiting:
            following = self._silent[waiting.pop()]
            self.steps += 1 + len(following)
            for state in following:
                if state not in seen:
                    seen.add(state)
                    waiting.append(state)
        return frozenset(s for s in seen if self._reading[s] or not self._silent[s])

    def readings(
        self, states: Iterable[int], alphabet: Iterable[str]
    ) -> list[tuple[list[str], set[int]]]:
        """Return groups of characters that states read, and the states each group leads to.

        Args:
            states: Result of `closure`.
            alphabet: All characters.
        """
        targets_of: dict[frozenset[str], set[int]] = {}
        for state in states:
            edge = self._reading[state]
            if edge is not None:
                targets_of.setdefault(edge[0], set()).add(edge[1])
        alike: dict[tuple[frozenset[str], ...], list[str]] = {}
        for character in alphabet:
            sets = tuple(characters for characters in targets_of if character in characters)
            alike.setdefault(sets, []).append(character)
            self.steps += 1 + len(targets_of)
        return [
            (characters, set().union(*(targets_of[key] for key in sets)))
            for sets, characters in alike.items()
            if sets
        ]

    def _build(self, node: regex.Node, start: int) -> int:
        """Add a node's states after a state, and return the node's end state."""
        if isinstance(node, regex.Symbols):
            end = self._state()
            self._reading[start] = (node.characters, end)
            return end
        if isinstance(node, regex.Sequence):
            for part in node.parts:
                start = self._build(part, self._step(start))
            return start
        if isinstance(node, regex.Choice):
            end = self._state()
            for part in node.parts:
                self._silent[self._build(part, self._step(start))].append(end)
            return end
        for _ in range(node.least):
            start = self._build(node.part, self._step(start))
        if node.most is None:
            loop = self._step(start)
            after = self._build(node.part, self._step(loop))
            self._silent[after].append(loop)
            return self._step(loop)
        end = self._state()
        for _ in range(node.most - node.least):
            self._silent[start].append(end)
            start = self._build(node.part, self._step(start))
        self._silent[start].append(end)
        return end

    def _state(self) -> int:
        if len(self._silent) >= self._max_parts:
            raise too_large(self.shown)
        self._silent.append([])
        self._reading.append(None)
        return len(self._silent) - 1

    def _step(self, start: int) -> int:
        """Return a new state after another, so that no two parts share their start."""
        state = self._state()
        self._silent[start].append(state)
        return state


def too_large(shown: str) -> OptionError:
    """Return the error for a pattern that needs too many states or steps."""
    return OptionError(
        f"pattern is {shown}: it is too large for an automaton. "
        "Make its {m,n} smaller or its alternatives fewer."
    )
