"""Printed dates on products, and bounds of dates such as "90 days ahead".

A format consists of the tokens below and the separators ``. / - , :`` and space, for example
``DD.MM.YYYY``, ``MON YYYY`` or ``YYDDD`` (a Julian lot code). A space in a format matches any
number of spaces, including none. Spaces around other separators are ignored.

    YYYY, YY, Y   year; YY means 20YY, Y means the nearest year with this last digit
    MM, M         month with two digits, or with one or two digits
    MON           month by name or abbreviation: English, German, French, Spanish, Italian,
                  Portuguese or Dutch, without accents
    DD, D         day with two digits, or with one or two digits; the default is the month's last
                  day
    DDD           day of the year, 001 to 366
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from sdk.errors import JobError

__all__ = ["PrintedDate", "find_dates", "format_pattern", "resolve_bound"]

_MONTHS = (
    "JANUARY JAN JANUAR JANVIER JANV ENERO ENE GENNAIO GEN JANEIRO JANUARI",
    "FEBRUARY FEB FEBRUAR FEVRIER FEVR FEV FEBRERO FEBBRAIO FEVEREIRO FEBRUARI",
    "MARCH MAR MAERZ MARZ MRZ MARS MARZO MARCO MAART MRT",
    "APRIL APR AVRIL AVR ABRIL ABR APRILE",
    "MAY MAI MAYO MAGGIO MAG MAIO MEI",
    "JUNE JUN JUNI JUIN JUNIO GIUGNO GIU JUNHO",
    "JULY JUL JULI JUILLET JUIL JULIO LUGLIO LUG JULHO",
    "AUGUST AUG AOUT AGOSTO AGO AUGUSTUS",
    "SEPTEMBER SEPT SEP SEPTEMBRE SEPTIEMBRE SETTEMBRE SET SETEMBRO",
    "OCTOBER OCT OKTOBER OKT OCTOBRE OCTUBRE OTTOBRE OTT OUTUBRO OUT",
    "NOVEMBER NOV NOVEMBRE NOVIEMBRE NOVEMBRO",
    "DECEMBER DEC DEZEMBER DEZ DECEMBRE DICIEMBRE DIC DICEMBRE DEZEMBRO",
)
_MONTH_NUMBERS = {name: i for i, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAMES = "|".join(sorted(_MONTH_NUMBERS, key=len, reverse=True))

_TOKENS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "YY": "(?P<short_year>[0-9]{2})",
    "Y": "(?P<digit_year>[0-9])",
    "MON": f"(?P<name>{_NAMES})",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DDD": "(?P<day_of_year>[0-9]{3})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
}
_PARTS = re.compile(f"({'|'.join(_TOKENS)})|([./,:-])|( +)")
# A date does not begin or end inside a longer number or date.
_BEFORE = r"(?<![0-9])(?<![0-9][./-])"
_AFTER = r"(?![0-9])(?![./-][0-9])"
_BOUND = re.compile(r"([0-9]{1,5}) (day|week|month|year)s? (ahead|ago)")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date found in a line.

    Attributes:
        text: The printed text.
        start: Position of the first character in the line.
        days: Possible days, by format. None if the calendar has no such day.
    """

    text: str
    start: int
    days: dict[str, date | None]


@lru_cache(maxsize=256)
def format_pattern(form: str) -> re.Pattern[str]:
    """Return the regular expression of a format.

    Raises:
        JobError: The format holds unknown characters, or does not define a day.
    """
    pieces, at, used = [], 0, set()
    while at < len(form):
        part = _PARTS.match(form, at)
        token = part[1] if part else ""
        if part is None or (token and token in used):
            raise JobError(
                f"{form!r} is not a date format. Use {', '.join(_TOKENS)}, each once, "
                "and the separators . / - , : and space."
            )
        used.add(token)
        pieces.append(
            _TOKENS[token] if token else rf" *{re.escape(part[2])} *" if part[2] else " *"
        )
        at = part.end()
    years, months = used & {"YYYY", "YY", "Y"}, used & {"MM", "M", "MON"}
    days = used & {"DD", "D"}
    complete = len(years) == 1 and len(days) <= 1
    complete &= len(months) == 1 if "DDD" not in used else not (months or days)
    if not complete:
        raise JobError(
            f"The date format {form!r} does not define one day. Give a year, and a month "
            "(with or without a day) or DDD, the day of the year."
        )
    # reading may lose the space between "EXP" and "MAR"
    first = "" if form.startswith("MON") else _BEFORE
    last = r"(?![A-Z])" if form.endswith("MON") else _AFTER
    return re.compile(first + "".join(pieces) + last, re.ASCII | re.IGNORECASE)


def find_dates(text: str, formats: Iterable[str], today: date) -> list[PrintedDate]:
    """Return the dates in a line, from left to right.

    Of overlapping matches the longest counts. If several formats match the same text, all are kept,
    each with its day.

    Args:
        text: Text of the line, in upper or lower case.
        formats: Formats, see the module.
        today: Reference for years of one digit.

    Raises:
        JobError: A format is not legal.
    """
    spans: dict[tuple[int, int], dict[str, date | None]] = {}
    for form in formats:
        for match in format_pattern(form).finditer(text):
            spans.setdefault(match.span(), {})[form] = _to_date(match, today)
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda s: (s[0] - s[1], s[0])):
        if all(end <= a or start >= b for a, b in kept):
            kept.append((start, end))
    return [PrintedDate(text[a:b], a, spans[a, b]) for a, b in sorted(kept)]


def resolve_bound(bound: str, today: date) -> date:
    """Return the day of a bound.

    Args:
        bound: "today", "90 days ahead", "2 weeks ago", the same with months and years, or a day
            such as "2026-12-31".
        today: Reference of relative bounds.

    Raises:
        JobError: The bound has another form.
    """
    if bound == "today":
        return today
    match = _BOUND.fullmatch(bound)
    try:
        if match is None:
            return date.fromisoformat(bound)
        count = int(match[1]) * (1 if match[3] == "ahead" else -1)
        if match[2] in ("day", "week"):
            return today + timedelta(days=count * (7 if match[2] == "week" else 1))
        months = today.year * 12 + today.month - 1 + count * (12 if match[2] == "year" else 1)
        year, month = divmod(months, 12)
        # 31 January plus one month is the end of February
        return date(year, month + 1, min(today.day, _days_in(year, month + 1)))
    except (ValueError, OverflowError, IndexError) as error:
        raise JobError(
            f'{bound!r} is not a bound of a date. Write "today", "90 days ahead", "2 weeks ago", '
            '"6 months ahead", "1 year ago", or a day such as "2026-12-31".'
        ) from error


def _days_in(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _to_date(match: re.Match[str], today: date) -> date | None:
    part = match.groupdict()
    if part.get("year"):
        year = int(part["year"])
    elif part.get("short_year"):
        year = 2000 + int(part["short_year"])
    else:
        year = _nearest_year(int(part["digit_year"]), today)
    try:
        if part.get("day_of_year"):
            day = date(year, 1, 1) + timedelta(days=int(part["day_of_year"]) - 1)
            return day if day.year == year else None
        month = int(part["month"]) if part.get("month") else _MONTH_NUMBERS[part["name"].upper()]
        return date(year, month, int(part["day"]) if part.get("day") else _days_in(year, month))
    except (ValueError, IndexError, OverflowError):
        return None


def _nearest_year(digit: int, today: date) -> int:
    """Return the nearest year with this last digit, of two equally near years the past one."""
    ahead = (digit - today.year) % 10
    return today.year + (ahead if ahead < 5 else ahead - 10)
