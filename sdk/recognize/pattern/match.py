"""Whether a text matches a regular expression, without a model's characters.

Python's `re` goes back and tries again, for some expressions for ever, and lets no other thread run
meanwhile; the automaton takes no more steps than its parts times the characters of the text.
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
        text: The text; it may hold any characters.

    Raises:
        OptionError: The expression is none, not supported or too large, whatever the text is.
    """
    # the characters of the text are all that "." and "[^...]" can meet
    return Nfa(regex.parse(pattern, text), repr(pattern), MAX_PARTS).matches(text)
