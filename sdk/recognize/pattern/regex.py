r"""Parser of regular expressions: the part of Python's `re` that a finite automaton can represent.

Supported are characters and escapes, ``.``, classes ``[A-F\d]`` and ``[^...]``, ``\d \w \s`` and
their opposites, groups ``(...)`` and ``(?:...)``, alternatives ``|``, and
``? * + {m} {m,} {,n} {m,n}``. The whole text must match. ``^`` at the very start and ``$`` at the
very end are allowed and have no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sdk.errors import OptionError

__all__ = ["Choice", "Node", "Repeat", "Sequence", "Symbols", "parse"]

MAX_DEPTH = 50
MAX_REPEAT = 1000
# The meaning of these classes in `re` for strings.
_SETS: dict[str, Callable[[str], bool]] = {
    "d": str.isdecimal,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
}
_QUANTIFIERS = "?*+{"


@dataclass(frozen=True, slots=True)
class Symbols:
    """One character out of a set. An empty set matches nothing."""

    characters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other. An empty sequence matches the empty text."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, `least` to `most` times. None sets no upper limit."""

    part: Node
    least: int
    most: int | None


Node: TypeAlias = "Symbols | Sequence | Choice | Repeat"


def parse(text: str, symbols: str) -> Node:
    r"""Return the syntax tree of a regular expression.

    Args:
        text: The expression.
        symbols: All characters that ``.`` and ``[^...]`` may match.

    Raises:
        OptionError: The text is not a regular expression, or uses an unsupported feature.
    """
    return _Parser(text, symbols).parse()


class _Parser:
    def __init__(self, text: str, symbols: str) -> None:
        self._text = text
        self._symbols = frozenset(symbols)
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        self._take("^")
        node = self._choice()
        if self._peek() == ")":
            raise self._error("this ')' has no '('", "Write \\) for the character")
        return node

    def _choice(self) -> Node:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            if self._peek() == "$" and self._at == len(self._text) - 1:
                self._at += 1
                break
            parts.append(self._repeat())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeat(self) -> Node:
        node = self._atom()
        start = self._at
        sign = self._next()
        if sign == "?":
            node = Repeat(node, 0, 1)
        elif sign == "*":
            node = Repeat(node, 0, None)
        elif sign == "+":
            node = Repeat(node, 1, None)
        elif sign == "{":
            node = Repeat(node, *self._bounds())
        else:
            self._at = start
            return node
        if self._peek() and self._peek() in _QUANTIFIERS:
            raise self._error(
                "lazy, possessive and repeated quantifiers are not supported",
                "Whole lines are matched, so they are not needed: use one quantifier, or a group",
            )
        return node

    def _bounds(self) -> tuple[int, int | None]:
        start = self._at - 1
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at : max(end, 0)].partition(",")
        numbers = [part for part in (low, high) if part]
        proper = numbers and all(part.isascii() and part.isdigit() for part in numbers)
        if end < 0 or not proper:
            self._at = start
            raise self._error(
                "this '{' starts no {m}, {m,}, {,n} or {m,n}", "Write \\{ for the character"
            )
        least = _number(low)
        most = (_number(high) if high else None) if comma else least
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            self._at = start
            raise self._error(
                f"the numbers of {{m,n}} must rise and be at most {MAX_REPEAT}",
                "Change the numbers",
            )
        self._at = end + 1
        return least, most

    def _atom(self) -> Node:
        start = self._at
        sign = self._next()
        if sign == "(":
            return self._group()
        if sign == "[":
            return Symbols(self._class())
        if sign == ".":
            return Symbols(self._symbols - {"\n"})
        if sign == "\\":
            return Symbols(self._escape())
        if sign in _QUANTIFIERS:
            self._at = start
            raise self._error(
                f"nothing stands before this {sign!r}", f"Write \\{sign} for the character"
            )
        if sign in "^$":
            self._at = start
            raise self._error(
                f"{sign!r} is supported only at the very start or end",
                f"Whole lines are matched: remove {sign!r}, or write \\{sign} for the character",
            )
        return Symbols(frozenset(sign))

    def _group(self) -> Node:
        if self._peek() == "?" and not self._text.startswith("?:", self._at):
            self._at -= 1
            raise self._error(
                "look-around, flags, named groups and other (?...) are not supported",
                "Use (...) or (?:...)",
            )
        if self._take("?"):
            self._at += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"groups are nested more than {MAX_DEPTH} deep", "Use fewer groups")
        start = self._at
        node = self._choice()
        if not self._take(")"):
            self._at = start - 1
            raise self._error("this group is not closed", "Add a ')'")
        self._depth -= 1
        return node

    def _class(self) -> frozenset[str]:
        start = self._at - 1
        negated = self._take("^")
        found: set[str] = set()
        first = self._at
        while self._peek() != "]" or self._at == first:
            low = self._member(start)
            if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] in ("]", ""):
                found |= low
                continue
            at = self._at
            self._at += 1
            high = self._member(start)
            if len(low) != 1 or len(high) != 1 or min(low) > min(high):
                self._at = at
                raise self._error("this '-' is not a range", "Write \\- for the character")
            found |= {c for c in self._symbols if min(low) <= c <= min(high)}
        self._at += 1
        return self._symbols - found if negated else frozenset(found)

    def _member(self, start: int) -> frozenset[str]:
        sign = self._next()
        if not sign:
            self._at = start
            raise self._error("this '[' is not closed", "Add a ']', or write \\[ for the character")
        return self._escape() if sign == "\\" else frozenset(sign)

    def _escape(self) -> frozenset[str]:
        sign = self._next()
        if not sign:
            self._at -= 1
            raise self._error("nothing follows this '\\'", "Write \\\\ for a backslash")
        inside = _SETS.get(sign.lower())
        if inside is not None:
            return frozenset(c for c in self._symbols if inside(c) == sign.islower())
        if sign.isascii() and sign.isalnum():
            self._at -= 2
            what = "back references are" if sign.isdigit() else f"\\{sign} is"
            raise self._error(f"{what} not supported", "Use one of \\d \\w \\s \\D \\W \\S")
        return frozenset(sign)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        sign = self._peek()
        self._at += len(sign)
        return sign

    def _take(self, sign: str) -> bool:
        taken = self._peek() == sign
        self._at += taken
        return taken

    def _error(self, what: str, advice: str) -> OptionError:
        return OptionError(f"pattern is {self._text!r}: at {self._at + 1}, {what}. {advice}.")


def _number(digits: str) -> int:
    """Return the value of digits. A huge number is cut to nine digits, still above any limit."""
    return int(digits.lstrip("0")[:9] or 0)
