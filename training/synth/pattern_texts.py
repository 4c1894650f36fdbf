"""Texts that match patterns, for the generator."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from sdk.charset import Charset
from sdk.recognize.pattern import regex
from sdk.recognize.pattern.automaton import Pattern, compile_pattern
from sdk.recognize.pattern.template import Template
from training.errors import TrainingError

__all__ = ["PatternTexts"]

# Repetitions that a star or a plus adds to the least number at most.
_MORE = 8
_TRIES = 200
_LONGEST = 60


class PatternTexts:
    """Samples texts that match one of several patterns."""

    def __init__(self, patterns: Sequence[Pattern], charset: Charset) -> None:
        """Check the patterns.

        Args:
            patterns: Regular expressions as in docs/patterns.md, and templates.
            charset: Characters of the model.

        Raises:
            OptionError: A pattern is invalid or not supported, or no text of the charset matches.
            TrainingError: No text that a picture can show matches: all are longer than 60
                characters, or begin or end with a space.
        """
        self._automaton = compile_pattern(list(patterns), charset)
        self._charset = charset
        self._shown = ", ".join(repr(getattr(p, "text", p)) for p in patterns)
        self._trees = [
            regex.parse(p.regex if isinstance(p, Template) else p, charset.symbols)
            for p in patterns
        ]
        self.sample(np.random.default_rng(0))

    def matches(self, text: str) -> bool:
        """Tell whether a text matches one of the patterns."""
        known = all(c in self._charset for c in text)
        return known and self._automaton.matches(self._charset.encode(text).tolist())

    def sample(self, rng: np.random.Generator) -> str:
        """Return a text: every pattern, alternative and character of a set is equally frequent.

        Raises:
            TrainingError: No text that a picture can show was found.
        """
        random = Random(int(rng.integers(2**63)))
        for _ in range(_TRIES):
            text = _draw(random.choice(self._trees), random)
            # a picture shows no space at the ends, and two spaces as one
            if 0 < len(text) <= _LONGEST and text == " ".join(text.split()):
                return text
        raise TrainingError(
            f"The pattern {self._shown} gives no text that a picture can show: 1 to {_LONGEST} "
            "characters, without spaces at the ends. Correct the pattern."
        )


def _draw(node: regex.Node, random: Random) -> str:
    if isinstance(node, regex.Symbols):
        return random.choice(sorted(node.characters)) if node.characters else ""
    if isinstance(node, regex.Sequence):
        return "".join(_draw(part, random) for part in node.parts)
    if isinstance(node, regex.Choice):
        return _draw(random.choice(node.parts), random)
    most = node.least + _MORE if node.most is None else node.most
    return "".join(_draw(node.part, random) for _ in range(random.randint(node.least, most)))
