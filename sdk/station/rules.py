"""Rules for the texts on a product, one small class per kind of rule.

A rule examines one line at a time. The line meets the rule (True), breaks the rule (False), or does
not concern the rule (None). `apply_rule` combines these findings for all lines.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Protocol

from sdk.errors import JobError, OptionError
from sdk.recognize.pattern.match import fullmatch
from sdk.results import TextLine
from sdk.station.checkdigits import SCHEMES, expected_digit, find_numbers, is_valid
from sdk.station.dates import PrintedDate, find_dates, format_pattern, resolve_bound
from sdk.station.verdict import RuleResult

__all__ = [
    "RULES",
    "CheckDigitRule",
    "DateRule",
    "NumberedLine",
    "PatternRule",
    "Rule",
    "TextRule",
    "apply_rule",
]

# index in the reading, line
NumberedLine = tuple[int, TextLine]
Finding = tuple[bool | None, str]


class Rule(Protocol):
    """A condition on the lines of a product."""

    kind: ClassVar[str]

    @property
    def line(self) -> int | None:
        """Number of the examined line, from 1 in reading order. None examines any line."""

    def examine(self, text: str, today: date) -> Finding:
        """Return whether a line meets the rule, None if it does not concern it, and the reason."""

    def missing(self, texts: Sequence[str]) -> str:
        """Return the reason of the result if no line concerns the rule."""


@dataclass(frozen=True, slots=True)
class TextRule:
    """A line has a fixed text, alone or with other text.

    Attributes:
        text: The text. Spaces are ignored, because their visibility depends on the camera.
        whole: Whether the text must be the whole line.
        line: Number of the examined line, from 1. None examines any line.
    """

    kind: ClassVar[str] = "text"
    text: str
    whole: bool = False
    line: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        _check_line(self.line)
        if not _squeeze(self.text):
            raise JobError("text is empty. Give the text that must stand on the product.")

    def examine(self, text: str, today: date) -> Finding:
        """See `Rule`."""
        wanted, found = _squeeze(self.text), _squeeze(text)
        met = wanted == found if self.whole else wanted in found
        return (True, f"it reads {text!r}") if met else (None, "")

    def missing(self, texts: Sequence[str]) -> str:
        """See `Rule`."""
        closest = difflib.get_close_matches(self.text, texts, 1, 0.5)
        found = f"the closest line is {closest[0]!r}" if closest else _found(texts)
        return f"{self.text!r} is missing; {found}"


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A line matches a regular expression as a whole.

    Attributes:
        pattern: Regular expression, see `sdk.recognize.pattern.regex`.
        line: Number of the examined line, from 1. None examines any line.
    """

    kind: ClassVar[str] = "pattern"
    pattern: str
    line: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        _check_line(self.line)
        if not self.pattern.strip():
            raise JobError("pattern is empty. Give the regular expression that a line must match.")
        try:
            fullmatch(self.pattern, "")
        except OptionError as error:
            raise JobError(str(error)) from error

    def examine(self, text: str, today: date) -> Finding:
        """See `Rule`."""
        met = fullmatch(self.pattern, text.strip())
        return (True, f"{text!r} matches") if met else (None, "")

    def missing(self, texts: Sequence[str]) -> str:
        """See `Rule`."""
        return f"no line matches {self.pattern}; {_found(texts)}"


@dataclass(frozen=True, slots=True)
class DateRule:
    """A line has a date within bounds.

    A date with two possible days (01/02/26 with both DD/MM/YY and MM/DD/YY listed) must be within
    the bounds with either day.

    Attributes:
        formats: Possible formats of the date, see `sdk.station.dates`.
        earliest: First legal day, such as "90 days ahead". Empty for no bound.
        latest: Last legal day. Empty for no bound.
        prefix: Text that must precede the date on its line, such as "EXP". Spaces, and a colon,
            full stop or hyphen at the end of the prefix, are ignored.
        line: Number of the examined line, from 1. None examines any line.
    """

    kind: ClassVar[str] = "date"
    formats: tuple[str, ...]
    earliest: str = ""
    latest: str = ""
    prefix: str = ""
    line: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        _check_line(self.line)
        if not self.formats:
            raise JobError('formats is empty. List at least one format, such as "DD.MM.YYYY".')
        for form in self.formats:
            format_pattern(form)
        for bound in (self.earliest, self.latest):
            if bound:
                resolve_bound(bound, date(2000, 1, 1))

    def examine(self, text: str, today: date) -> Finding:
        """See `Rule`."""
        finding: Finding = (None, "")
        for found in find_dates(text, self.formats, today):
            if _ends_with(text[: found.start], self.prefix):
                finding = self._judge(found, today)
                if finding[0]:
                    break
        return finding

    def missing(self, texts: Sequence[str]) -> str:
        """See `Rule`."""
        after = f" after {self.prefix!r}" if self.prefix else ""
        return f"no date like {' or '.join(self.formats)}{after}; {_found(texts)}"

    def _judge(self, found: PrintedDate, today: date) -> Finding:
        days = sorted({day for day in found.days.values() if day is not None})
        if not days:
            return False, f"{found.text!r} is no day of the calendar"
        reasons = [self._outside(day, today) for day in days]
        wrong = next((reason for reason in reasons if reason), None)
        if wrong is None:
            return True, f"{found.text!r} is {' or '.join(map(str, days))}"
        if len(days) > 1 and not all(reasons):
            ways = " or ".join(f"{day} ({form})" for form, day in found.days.items() if day)
            return False, f"{found.text!r} may be {ways}: list one format only"
        return False, f"{found.text!r} is {wrong}"

    def _outside(self, day: date, today: date) -> str:
        """Return why a day is outside the bounds, empty if it is inside."""
        if self.earliest and day < (first := resolve_bound(self.earliest, today)):
            return f"{day}, before {_bound(self.earliest, first)}"
        if self.latest and day > (last := resolve_bound(self.latest, today)):
            return f"{day}, after {_bound(self.latest, last)}"
        return ""


@dataclass(frozen=True, slots=True)
class CheckDigitRule:
    """A line has a number with the right check digit.

    Attributes:
        scheme: "gtin", "iso6346", "vin" or "luhn".
        line: Number of the examined line, from 1. None examines any line.
    """

    kind: ClassVar[str] = "check_digit"
    scheme: str
    line: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        _check_line(self.line)
        if self.scheme not in SCHEMES:
            raise JobError(f"scheme is {self.scheme!r}. Give one of {', '.join(SCHEMES)}.")

    def examine(self, text: str, today: date) -> Finding:
        """See `Rule`."""
        numbers = find_numbers(self.scheme, text)
        for number in numbers:
            if is_valid(self.scheme, number):
                return True, f"{number} has the right check digit"
        if not numbers:
            return None, ""
        digit = expected_digit(self.scheme, numbers[0])
        return False, f"the check digit of {numbers[0]} is wrong: {digit} would be right"

    def missing(self, texts: Sequence[str]) -> str:
        """See `Rule`."""
        return f"no {SCHEMES[self.scheme][0]}; {_found(texts)}"


RULES: dict[str, type[TextRule | PatternRule | DateRule | CheckDigitRule]] = {
    kind.kind: kind for kind in (TextRule, PatternRule, DateRule, CheckDigitRule)
}


def apply_rule(
    rule: Rule, lines: Sequence[NumberedLine], min_confidence: float, today: date
) -> RuleResult:
    """Return the result of a rule for the lines of a product.

    A sure line that meets or breaks the rule decides. Otherwise the rule is not readable if there
    is a doubtful line, because this line may meet the rule. Without a doubtful line the rule is not
    met.

    Args:
        rule: The rule.
        lines: The lines that count, in reading order.
        min_confidence: Lines with a lower confidence are doubtful, 0..1.
        today: Reference of dates.
    """
    if rule.line is not None:
        lines = lines[rule.line - 1 : rule.line]
    wrong: RuleResult | None = None
    for index, line in lines:
        if line.confidence >= min_confidence:
            ok, reason = rule.examine(line.text, today)
            if ok:
                return RuleResult(rule.kind, True, reason, index)
            if ok is False and wrong is None:
                wrong = RuleResult(rule.kind, False, reason, index)
    if wrong is not None:
        return wrong
    for index, line in lines:
        if line.confidence < min_confidence:
            return RuleResult(rule.kind, None, doubt(line, min_confidence), index)
    if rule.line is not None and not lines:
        return RuleResult(rule.kind, False, f"there is no line {rule.line}")
    return RuleResult(rule.kind, False, rule.missing([line.text for _, line in lines]))


def doubt(line: TextLine, min_confidence: float) -> str:
    """Return the reason why a line is doubtful."""
    return (
        f"{line.text!r} is read with a confidence of {line.confidence:.2f} only; "
        f"{min_confidence:.2f} is asked"
    )


def _check_line(line: int | None) -> None:
    if line is not None and line < 1:
        raise JobError(f"line is {line!r}. Give a number from 1, or leave it out for any line.")


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _ends_with(text: str, prefix: str) -> bool:
    return not prefix or _squeeze(text).rstrip(":.-").endswith(_squeeze(prefix).rstrip(":.-"))


def _bound(bound: str, day: date) -> str:
    return bound if bound == str(day) else f"{day} ({bound})"


def _found(texts: Sequence[str]) -> str:
    return f"read: {', '.join(map(repr, texts))}" if texts else "nothing else is read"
