from __future__ import annotations

from datetime import date

import pytest

from sdk.errors import JobError
from sdk.station.dates import find_dates, format_pattern, resolve_bound

TODAY = date(2026, 11, 21)


def days(text: str, *formats: str) -> list[date | None]:
    return [day for found in find_dates(text, formats, TODAY) for day in found.days.values()]


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("12.03.2026", "DD.MM.YYYY", date(2026, 3, 12)),
        ("EXP:12.03.2026 11:35", "DD.MM.YYYY", date(2026, 3, 12)),
        ("12 . 03.2026", "DD.MM.YYYY", date(2026, 3, 12)),
        ("2026-03-12", "YYYY-MM-DD", date(2026, 3, 12)),
        ("12/03/26", "DD/MM/YY", date(2026, 3, 12)),
        ("12/03/26", "MM/DD/YY", date(2026, 12, 3)),
        ("1.3.2026", "D.M.YYYY", date(2026, 3, 1)),
        ("02/2028", "MM/YYYY", date(2028, 2, 29)),
        ("L260312A", "YYMMDD", date(2026, 3, 12)),
        ("12 MAR 2026", "DD MON YYYY", date(2026, 3, 12)),
        ("12mar2026", "DD MON YYYY", date(2026, 3, 12)),
        ("genießen bis 12.mai 2026", "DD.MON YYYY", date(2026, 5, 12)),
        ("EXPMAR2026", "MON YYYY", date(2026, 3, 31)),
        ("BB:FEB0223CA", "MONDDYY", date(2023, 2, 2)),
        ("12 MAERZ 2026", "DD MON YYYY", date(2026, 3, 12)),
        ("5 DEZEMBER 2026", "D MON YYYY", date(2026, 12, 5)),
        ("1 AOUT 2027", "D MON YYYY", date(2027, 8, 1)),
        ("L26071B", "YYDDD", date(2026, 3, 12)),
        ("6071", "YDDD", date(2026, 3, 12)),
        ("2071", "YDDD", date(2022, 3, 12)),
        ("1071", "YDDD", date(2021, 3, 12)),
        ("0001", "YDDD", date(2030, 1, 1)),
        ("24366", "YYDDD", date(2024, 12, 31)),
        ("26366", "YYDDD", None),
        ("26000", "YYDDD", None),
        ("31.02.2026", "DD.MM.YYYY", None),
        ("12.13.2026", "DD.MM.YYYY", None),
        ("01.01.0000", "DD.MM.YYYY", None),
    ],
)
def test_reads_printed_dates(text: str, form: str, day: date | None) -> None:
    assert days(text, form) == [day]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("12.03.20267", "DD.MM.YYYY"),
        ("112.03.2026", "DD.MM.YYYY"),
        ("12.03.2026", "DD.MM.YY"),
        ("12/03/2026", "MM/YYYY"),
        ("2026031245", "YYMMDD"),
        ("12 XYZ 2026", "DD MON YYYY"),
        ("", "DD.MM.YYYY"),
    ],
)
def test_a_date_is_not_cut_out_of_something_longer(text: str, form: str) -> None:
    assert days(text, form) == []


def test_longest_match_counts() -> None:
    (found,) = find_dates("EXP 12 MAR 2026", ["MON YYYY", "DD MON YYYY"], TODAY)
    assert (found.text, found.start) == ("12 MAR 2026", 4)
    assert found.days == {"DD MON YYYY": date(2026, 3, 12)}


def test_formats_that_match_the_same_text_are_all_kept() -> None:
    (found,) = find_dates("01/02/26", ["DD/MM/YY", "MM/DD/YY"], TODAY)
    assert found.days == {"DD/MM/YY": date(2026, 2, 1), "MM/DD/YY": date(2026, 1, 2)}


def test_several_dates_in_a_line() -> None:
    found = find_dates("PROD 01.10.2026 EXP 01.03.2027", ["DD.MM.YYYY"], TODAY)
    assert [(f.text, f.start) for f in found] == [("01.10.2026", 5), ("01.03.2027", 20)]


@pytest.mark.parametrize(
    "form", ["", "DD.MM", "YYYY", "DD.DD.YYYY", "DD.MM.YYYY EXP", "DDD", "YY DDD MM", "YYYY YY MM"]
)
def test_bad_format_is_refused(form: str) -> None:
    with pytest.raises(JobError, match="format"):
        format_pattern(form)


@pytest.mark.parametrize(
    ("bound", "day"),
    [
        ("today", TODAY),
        ("90 days ahead", date(2027, 2, 19)),
        ("1 day ago", date(2026, 11, 20)),
        ("2 weeks ahead", date(2026, 12, 5)),
        ("2 months ahead", date(2027, 1, 21)),
        ("11 months ago", date(2025, 12, 21)),
        ("2 years ahead", date(2028, 11, 21)),
        ("2026-12-31", date(2026, 12, 31)),
    ],
)
def test_bounds(bound: str, day: date) -> None:
    assert resolve_bound(bound, TODAY) == day


def test_a_month_more_than_a_long_month_is_the_end_of_a_short_one() -> None:
    assert resolve_bound("1 month ahead", date(2026, 1, 31)) == date(2026, 2, 28)
    assert resolve_bound("1 year ago", date(2028, 2, 29)) == date(2027, 2, 28)


@pytest.mark.parametrize("bound", ["", "soon", "90 days", "+90 days", "99999 years ahead"])
def test_bad_bound_is_refused(bound: str) -> None:
    with pytest.raises(JobError, match="90 days ahead"):
        resolve_bound(bound, TODAY)


def test_place_of_a_date_behind_letters_that_grow_in_upper_case() -> None:
    (found,) = find_dates("GENIEßEN BIS 12.03.2026", ["DD.MM.YYYY"], TODAY)
    assert (found.text, found.start) == ("12.03.2026", 13)
