from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sdk.charset import DEFAULT_CHARSET
from sdk.station import CheckDigitRule, DateRule, Job, PatternRule, Rule, TextRule, judge, teach_job
from tests.sdk.station.readings import make_reading

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("BEST BEFORE", TextRule("BEST BEFORE", whole=True)),
        ("EXP: 12.03.2027", DateRule(("DD.MM.YYYY",), "today", prefix="EXP")),
        ("PROD 12.03.2026", DateRule(("DD.MM.YYYY",), "", "today", "PROD")),
        ("27AUG2022", DateRule(("D MON YYYY",), "", "today")),
        ("JUN 2028", DateRule(("MON YYYY",), "today")),
        ("01/02/28", DateRule(("DD/MM/YY",), "today")),
        ("12/31/27", DateRule(("MM/DD/YY",), "today")),
        ("4 006381 333931", CheckDigitRule("gtin")),
        ("CSQU 305438 3", CheckDigitRule("iso6346")),
        ("1M8GDM9AXKP042788", CheckDigitRule("vin")),
        ("LOT L1234a-5", PatternRule(r"LOT *L[0-9]{4}[a-z]\-[0-9]")),
        ("4006381333932", PatternRule("[0-9]{13}")),
    ],
)
def test_kinds_of_lines(text: str, rule: Rule) -> None:
    assert teach_job(make_reading(text), "job", TODAY) == Job("job", lines=1, rules=(rule,))


def test_taught_pattern_takes_the_next_lot() -> None:
    job = teach_job(make_reading("LOT L1234A"), "job", TODAY)
    assert judge(job, make_reading("LOT L9876C"), TODAY).status == "ok"
    assert judge(job, make_reading("LOT M9876C"), TODAY).status == "ng"


def test_doubtful_lines_are_left_out() -> None:
    job = teach_job(make_reading("MILK", ("dirt", 0.3)), "job", TODAY)
    assert job.rules == (TextRule("MILK", whole=True),)
    assert teach_job(make_reading(), "job", TODAY) == Job("job")


LINES = st.text(st.sampled_from(DEFAULT_CHARSET.symbols), min_size=1, max_size=20).filter(str.strip)


@given(st.lists(LINES, max_size=4))
@example(["EXP 01/02/26 01/02/28"])
@example(["A 1", "A 1"])
def test_the_good_product_meets_its_own_job(lines: list[str]) -> None:
    reading = make_reading(*lines)
    job = teach_job(reading, "job", TODAY)
    assert Job.from_toml(job.to_toml()) == job
    assert judge(job, reading, TODAY).status == ("ok" if lines else "unreadable")
