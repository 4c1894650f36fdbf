"""Every reason that the SDK gives is known to the screen, in every language."""

from __future__ import annotations

from datetime import date

import pytest

from demo_app import language
from demo_app.language import LANGUAGES
from demo_app.models import reasons
from demo_app.models.reasons import explain, headline, main_reason
from sdk.station import (
    CheckDigitRule,
    DateRule,
    Job,
    PatternRule,
    Rule,
    RuleResult,
    TextRule,
    Verdict,
    judge,
)
from tests.sdk.station.readings import make_reading

TODAY = date(2026, 11, 29)
LOT = PatternRule("LOT ?[0-9]{2}[A-Z][0-9]{3}")
EXP = DateRule(("YYYY-MM-DD",), earliest="90 days ahead", prefix="EXP")
GTIN = CheckDigitRule("gtin")


def inspect(
    rule: Rule | None, *lines: str | tuple[str, float], count: int | None = None
) -> Verdict:
    job = Job("job", lines=count, rules=() if rule is None else (rule,))
    return judge(job, make_reading(*lines), TODAY)


# What is broken, and what is said of it in a few words and in full.
CASES = [
    (inspect(None), "No text", "No text"),
    (inspect(TextRule("STERIPAD"), "STERIPAO"), "STERIPAD missing",
     "STERIPAD missing. The closest line is 'STERIPAO'."),
    (inspect(TextRule("it's"), "A", "B"), "it's missing", "it's missing. Read: 'A', 'B'."),
    (inspect(LOT, "MILK"), "LOT missing",
     "No line matches LOT ?[0-9]{2}[A-Z][0-9]{3}. Read: 'MILK'."),
    (inspect(EXP, "MILK"), "EXP missing", "No date like YYYY-MM-DD after 'EXP'. Read: 'MILK'."),
    (inspect(DateRule(("MM/YY", "MM/YYYY")), "A; read: B"), "Date missing",
     "No date like MM/YY or MM/YYYY. Read: 'A; read: B'."),
    (inspect(EXP, "EXP 2019-03-31"), "2019-03-31 too early",
     "2019-03-31 is before 2027-02-27 (90 days ahead)."),
    (inspect(DateRule(("DD.MM.YY",), latest="today"), "01.12.26"), "01.12.26 too late",
     "2026-12-01 is after 2026-11-29 (today)."),
    (inspect(DateRule(("DD.MM.YY",)), "31.02.26"), "31.02.26 is no date", "31.02.26 is no date"),
    (inspect(DateRule(("DD/MM/YY", "MM/DD/YY"), latest="2026-01-31"), "01/02/26"),
     "01/02/26 is ambiguous",
     "It may be 2026-02-01 (DD/MM/YY) or 2026-01-02 (MM/DD/YY). List one format only."),
    (inspect(GTIN, "02000123456783"), "Check digit wrong",
     "The check digit of 02000123456783 must be 2."),
    (inspect(GTIN, "MILK"), "GTIN missing", "GTIN missing. Read: 'MILK'."),
    (inspect(CheckDigitRule("vin"), "MILK"), "Vehicle number missing",
     "Vehicle number missing. Read: 'MILK'."),
    (inspect(TextRule("A", line=2), "A"), "Line 2 missing", "Line 2 missing"),
    (inspect(None, "A", count=4), "Lines: 1, not 4", "Lines: 1, not 4"),
    (inspect(LOT, ("LOT 26A4l7", 0.4)), "Unsure: LOT 26A4l7",
     "Read with a confidence of 0.40; 0.50 is asked."),
]  # fmt: skip


def broken(verdict: Verdict) -> RuleResult:
    return next(result for result in verdict.results if result.ok is not True)


@pytest.mark.parametrize(("verdict", "short", "long"), CASES, ids=[case[1] for case in CASES])
def test_reason_is_said_shortly_and_in_full(verdict: Verdict, short: str, long: str) -> None:
    assert main_reason(verdict) == headline(broken(verdict)) == short
    assert explain(broken(verdict)) == long


def test_every_sentence_is_one_of_the_sdk() -> None:
    used = {
        match[0].sdk
        for verdict, _, _ in CASES
        if (match := reasons._match(broken(verdict).reason)) is not None
    }
    several = inspect(None, "A", "B", count=4)
    assert headline(broken(several)) == "Lines: 2, not 4"
    used.add(reasons._match(broken(several).reason)[0].sdk)  # type: ignore[index]
    assert used == {sentence.sdk for sentence in reasons._sentences()}


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_no_reason_stays_english(code: str) -> None:
    english = [(headline(broken(v)), explain(broken(v))) for v, _, _ in CASES]
    language.set_language(code)
    for (verdict, _, _), (short, long) in zip(CASES, english, strict=True):
        assert headline(broken(verdict)) != short
        assert explain(broken(verdict)) != long


def test_lines_are_not_repeated_where_they_are_seen_anyway() -> None:
    missing = broken(inspect(TextRule("STERIPAD"), "STERIPAO"))
    assert explain(missing, with_lines=False) == ""
    assert explain(broken(inspect(LOT, "MILK")), with_lines=False).startswith("No line matches LOT")


def test_a_missing_line_says_more_than_their_number() -> None:
    assert main_reason(inspect(LOT, "MILK", count=2)) == "LOT missing"
    assert main_reason(inspect(LOT, "LOT 26A417", "MILK", "X", count=2)) == "Lines: 3, not 2"
    assert main_reason(inspect(LOT, "LOT 26A417")) == ""


def test_several_lines_are_wanted() -> None:
    job = Job("job", lines=(3, 5))
    assert main_reason(judge(job, make_reading("A", "B"))) == "Lines: 2, not 3\N{EN DASH}5"


def test_sure_reason_goes_before_a_doubt() -> None:
    job = Job("job", rules=(LOT, GTIN))
    verdict = judge(job, make_reading("02000123456783", ("LOT 26A4l7", 0.4)))
    assert verdict.status == "ng" and main_reason(verdict) == "Check digit wrong"


def test_reason_of_another_version_is_shown_as_it_is() -> None:
    result = RuleResult("smell", False, "it smells of onions")
    assert headline(result) == explain(result) == "it smells of onions"
    placed = RuleResult("smell", False, "it smells of onions", field="lid")
    assert headline(placed) == explain(placed) == "lid: it smells of onions"
    assert explain(placed, with_lines=False) == "it smells of onions"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("LOT ?[0-9]{2}[A-Z][0-9]{3}", "LOT"),
        (r"L\d{5} [A-C]", "L##### A"),
        ("(LOT|CH)[0-9]{3}", "LOT/CH"),
        (r"\d\d:\d\d", "##:##"),
        ("[0-9]{40}", "Pattern"),
        (".*", "Pattern"),
        ("(?i)lot", "Pattern"),
        ("((a{1000}){1000}){1000}", "Pattern"),
    ],
)
def test_pattern_is_called_by_what_an_operator_knows(pattern: str, name: str) -> None:
    result = RuleResult("pattern", False, f"no line matches {pattern}; nothing else is read")
    assert headline(result) == f"{name} missing"
    assert explain(result) == f"No line matches {pattern}. Nothing else is read."
