"""Match a text against a regular expression, independent of a model's charset.

Python's `re` backtracks, for some expressions without end, and blocks all other threads meanwhile.
The automaton takes at most as many steps as its parts times the characters of the text.
"""

from __future__ import annotations

from sdk.recognize.pattern import regex
from sdk.recognize.pattern.nfa import Nfa

__all__ = ["fullmatch"]

MAX_PARTS = 5000


def fullmatch(pattern: str, text: str) -> bool:
    """Return whether a regular expression matches a whole text.

    Args:
        pattern: The expression, see `sdk.recognize.pattern.regex`.
        text: The text, of any characters.

    Raises:
        OptionError: The expression is invalid, not supported or too large, whatever the text is.
    """
    # "." and "[^...]" can only meet the characters of the text
    return Nfa(regex.parse(pattern, text), repr(pattern), MAX_PARTS).matches(text)
