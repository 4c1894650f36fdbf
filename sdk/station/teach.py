"""A draft of a job from the reading of one good product."""

from __future__ import annotations

import re
from datetime import date
from itertools import groupby

from sdk.results import Reading
from sdk.station.checkdigits import find_numbers, is_valid
from sdk.station.dates import PrintedDate, find_dates
from sdk.station.job import Job
from sdk.station.rules import CheckDigitRule, DateRule, PatternRule, Rule, TextRule

__all__ = ["line_pattern", "teach_job"]

# Formats that cannot be confused with numbers, likelier formats first: days before months.
_FORMATS = (
    "YYYY-MM-DD",
    "YYYY.MM.DD",
    "YYYY/MM/DD",
    "DD.MM.YYYY",
    "DD/MM/YYYY",
    "DD-MM-YYYY",
    "MM/DD/YYYY",
    "DD.MM.YY",
    "DD/MM/YY",
    "MM/DD/YY",
    "D MON YYYY",
    "D-MON-YYYY",
    "D MON YY",
    "MON D YYYY",
    "MON YYYY",
    "MM/YYYY",
    "MM.YYYY",
)
# Least length of a number that proves a scheme. One in ten random numbers has a right check digit,
# so short numbers prove nothing.
_PROVING = (("vin", 17), ("iso6346", 11), ("gtin", 12))


def teach_job(reading: Reading, name: str, today: date | None = None) -> Job:
    """Return a job that a good product meets, as a draft for a person to check.

    A line with a date becomes a date rule. A line with a container, vehicle or trade item number
    becomes a check digit rule. Another line with digits becomes a pattern rule, and a line without
    digits a fixed text. A future date must stay in the future, a past date in the past. A pattern
    allows other digits, and other letters after the first digit.

    Args:
        reading: Reading of a good product. Only lines with the job's confidence are used.
        name: Name of the job.
        today: Reference of dates. None uses the machine's date.

    Raises:
        JobError: The name is not legal.
    """
    today = today or date.today()
    sure = Job(name).min_confidence
    texts = [line.text.strip() for line in reading if line.confidence >= sure]
    rules = dict.fromkeys(_guess(text, today) for text in texts)
    return Job(name, lines=len(texts) or None, rules=tuple(rules))


def _guess(text: str, today: date) -> Rule:
    for found in find_dates(text, _FORMATS, today):
        rule = _date_rule(text, found, today)
        if rule is not None:
            return rule
    for scheme, length in _PROVING:
        numbers = find_numbers(scheme, text)
        if any(len(n) >= length and is_valid(scheme, n) for n in numbers):
            return CheckDigitRule(scheme)
    if any(c.isdigit() for c in text):
        return PatternRule(line_pattern(text))
    return TextRule(text, whole=True)


def _date_rule(text: str, found: PrintedDate, today: date) -> DateRule | None:
    for form, day in found.days.items():
        if day is not None:
            words = re.search(r"([A-Za-z][A-Za-z ]*)[ :.-]*$", text[: found.start])
            prefix = words[1].strip() if words else ""
            earliest, latest = ("today", "") if day >= today else ("", "today")
            return DateRule((form,), earliest, latest, prefix)
    return None


def line_pattern(text: str, gap: str = " *") -> str:
    """Return a pattern of lines like a text: other digits, and other letters after the first digit.

    Args:
        text: Text of a line.
        gap: Pattern of what stands between two words.
    """
    return gap.join(_word_pattern(word) for word in text.split())


def _word_pattern(word: str) -> str:
    first = next((i for i, c in enumerate(word) if c.isdigit()), len(word))
    pattern = re.escape(word[:first])
    for kind, group in groupby(word[first:], _kind):
        run = "".join(group)
        count = f"{{{len(run)}}}" if len(run) > 1 else ""
        pattern += re.escape(run) if kind == "other" else kind + count
    return pattern


def _kind(character: str) -> str:
    for kind in ("[0-9]", "[A-Z]", "[a-z]"):
        if re.fullmatch(kind, character):
            return kind
    return "other"
