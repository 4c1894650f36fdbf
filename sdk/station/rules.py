"""What must stand on a product: one small class for each kind of rule.

A rule looks at one line at a time: the line meets it (True), is what the rule is about and wrong
(False), or is something else (None). `apply_rule` makes the result for all lines of it.
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
    """One thing that must be true of the lines on a product."""

    kind: ClassVar[str]

    @property
    def line(self) -> int | None:
        """Number of the line that is meant, from 1 in reading order; None for any line."""

    def examine(self, text: str, today: date) -> Finding:
        """Return whether a line meets the rule (None: it is about something else), and why."""

    def missing(self, texts: Sequence[str]) -> str:
        """Return the reason when no line is what the rule is about."""


@dataclass(frozen=True, slots=True)
class TextRule:
    """A fixed text stands on a line, alone or with other text.

    Attributes:
        text: The text. Spaces are ignored, for whether one is seen depends on the camera.
        whole: Whether it must be the whole line.
        line: Number of the line that is meant, from 1; None for any.
    """

    kind: ClassVar[str] = "text"
    text: str
    whole: bool = False
    line: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: One is not legal.
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
        line: Number of the line that is meant, from 1; None for any.
    """

    kind: ClassVar[str] = "pattern"
    pattern: str
    line: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: One is not legal.
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
    """A date stands on a line, within bounds.

    A date that can be read in two ways (01/02/26 with both DD/MM/YY and MM/DD/YY listed) must be
    within the bounds either way.

    Attributes:
        formats: How the date may be printed, see `sdk.station.dates`; nothing else is tried.
        earliest: First day that is good, such as "90 days ahead"; empty for none.
        latest: Last day that is good; empty for none.
        prefix: Text that must stand before the date on its line, such as "EXP"; spaces and a
            colon, full stop or hyphen at its end are ignored.
        line: Number of the line that is meant, from 1; None for any.
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
            JobError: One is not legal.
        """
        _check_line(self.line)
        if not self.formats:
            raise JobError('formats is empty. List at least one, such as "DD.MM.YYYY".')
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
        """Return why a day is outside the bounds, or nothing."""
        if self.earliest and day < (first := resolve_bound(self.earliest, today)):
            return f"{day}, before {_bound(self.earliest, first)}"
        if self.latest and day > (last := resolve_bound(self.latest, today)):
            return f"{day}, after {_bound(self.latest, last)}"
        return ""


@dataclass(frozen=True, slots=True)
class CheckDigitRule:
    """A number with a check digit stands on a line, and the digit is right.

    Attributes:
        scheme: "gtin", "iso6346", "vin" or "luhn".
        line: Number of the line that is meant, from 1; None for any.
    """

    kind: ClassVar[str] = "check_digit"
    scheme: str
    line: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: One is not legal.
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
    """Return what a rule says about the lines of a product.

    A surely read line decides: it meets the rule, or is what the rule is about and wrong. Without
    one, the rule is not readable if some line was read doubtfully (it may be the one), else not
    met.

    Args:
        rule: The rule.
        lines: The lines that count, in reading order.
        min_confidence: Lines less sure than this are doubtful, 0..1.
        today: For dates.
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
    """Return the reason why a line does not count."""
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
