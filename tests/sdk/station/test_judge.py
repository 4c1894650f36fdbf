from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sdk.errors import SdkError
from sdk.station import (
    CheckDigitRule,
    DateRule,
    Field,
    Job,
    PatternRule,
    Rule,
    RuleResult,
    TextRule,
    Verdict,
    judge,
)
from tests.sdk.station.readings import make_reading

TODAY = date(2026, 11, 21)


def result(rule: Rule, *lines: str | tuple[str, float]) -> RuleResult:
    (found,) = judge(Job("job", rules=(rule,)), make_reading(*lines), TODAY).results
    return found


def status(job: Job, *lines: str | tuple[str, float]) -> str:
    return judge(job, make_reading(*lines), TODAY).status


def test_a_good_product_is_ok() -> None:
    job = Job("job", lines=2, rules=(TextRule("BEST BEFORE"), PatternRule("L[0-9]{3}")))
    verdict = judge(job, make_reading("BESTBEFORE 03/27", "L123"), TODAY, taken=5.0)
    assert (verdict.status, verdict.job, verdict.time) == ("ok", "job", 5.0)
    assert verdict.reasons == []
    assert [(r.rule, r.ok, r.line) for r in verdict.results] == [
        ("lines", True, None),
        ("text", True, 0),
        ("pattern", True, 1),
    ]


def test_nothing_read_is_unreadable() -> None:
    verdict = judge(Job("job", rules=(TextRule("A"),)), make_reading(), TODAY)
    assert (verdict.status, verdict.reasons) == ("unreadable", ["no text is read"])
    assert status(Job("job")) == "unreadable"


def test_doubtful_characters_of_a_smeared_print_are_no_text() -> None:
    job = Job("job", lines=4, rules=(TextRule("STERIPAD"),))
    verdict = judge(job, make_reading(("0030", 0.3)), TODAY)
    assert (verdict.status, verdict.reasons) == ("unreadable", ["no text is read"])
    assert len(verdict.reading) == 1
    assert judge(job, make_reading(("0030", 0.3), "LOT 7"), TODAY).status == "ng"


def test_a_sure_wrong_line_is_ng_and_a_doubtful_one_unreadable() -> None:
    job = Job("job", rules=(TextRule("MILK"),))
    assert status(job, "SILK") == "ng"
    assert status(job, ("SILK", 0.4)) == "unreadable"
    assert status(job, ("MILK", 0.4)) == "unreadable"
    assert status(job, "MILK", ("dirt", 0.3)) == "ok"
    # a doubtful line may be the missing one, unless it is too doubtful to be text at all
    assert status(job, "SILK", ("dirt", 0.3)) == "unreadable"
    assert status(job, "SILK", ("dirt", 0.2)) == "ng"


def test_one_broken_rule_makes_ng_whatever_is_unreadable() -> None:
    job = Job("job", rules=(TextRule("MILK", line=1), TextRule("500 g", line=2)))
    assert status(job, "SILK", ("500 g", 0.4)) == "ng"


@pytest.mark.parametrize(
    ("lines", "read", "expected"),
    [
        (2, ["A", "B"], "ok"),
        (2, ["A"], "ng"),
        (2, ["A", "B", "C"], "ng"),
        (2, ["A", ("B", 0.4)], "unreadable"),
        (2, ["A", "B", ("C", 0.4)], "ok"),
        (3, ["A", ("C", 0.4)], "ng"),
        ((1, 2), ["A"], "ok"),
        (None, ["A"], "ok"),
        (None, [("A", 0.4)], "unreadable"),
    ],
)
def test_number_of_lines(lines: Any, read: list[Any], expected: str) -> None:
    assert status(Job("job", lines=lines), *read) == expected


def test_fixed_text() -> None:
    assert result(TextRule("best before"), "BEST BEFORE").ok is False
    assert result(TextRule("MILK", whole=True), "MILK 1L").ok is False
    assert result(TextRule("MI LK", whole=True), "MILK").ok is True
    found = result(TextRule("BEST BEFORE"), "LOT 1", "BEST BEF0RE")
    assert found.reason == "'BEST BEFORE' is missing; the closest line is 'BEST BEF0RE'"


def test_pattern_matches_a_whole_line() -> None:
    assert result(PatternRule("L[0-9]+"), " L12 ").ok is True
    assert result(PatternRule("L[0-9]+"), "L12 A").ok is False
    assert result(PatternRule("L[0-9]+"), "M12").reason == "no line matches L[0-9]+; read: 'M12'"


def test_line_number() -> None:
    assert result(TextRule("A", line=2), "A", "B").ok is False
    assert result(TextRule("A", line=2), "B", "A").line == 1
    assert result(TextRule("A", line=3), "A").reason == "there is no line 3"


@pytest.mark.parametrize(
    ("text", "ok", "reason"),
    [
        ("19.02.2027", True, "'19.02.2027' is 2027-02-19"),
        (
            "18.02.2027",
            False,
            "'18.02.2027' is 2027-02-18, before 2027-02-19 (90 days ahead)",
        ),
        ("22.11.2028", False, "'22.11.2028' is 2028-11-22, after 2028-11-21 (2 years ahead)"),
        ("31.02.2027", False, "'31.02.2027' is no day of the calendar"),
        ("LOT 5", False, "no date like DD.MM.YYYY; read: 'LOT 5'"),
    ],
)
def test_date_within_bounds(text: str, ok: bool, reason: str) -> None:
    rule = DateRule(("DD.MM.YYYY",), "90 days ahead", "2 years ahead")
    assert result(rule, text) == RuleResult("date", ok, reason, 0 if "LOT" not in text else None)


def test_prefix_tells_dates_apart() -> None:
    line = "PROD 01.10.2026 EXP: 01.03.2027"
    assert result(DateRule(("DD.MM.YYYY",), "today", prefix="EXP"), line).ok is True
    assert result(DateRule(("DD.MM.YYYY",), "today", prefix="PROD"), line).ok is False
    assert result(DateRule(("DD.MM.YYYY",), "", "today", "PROD."), line).ok is True
    assert "after 'BB'" in result(DateRule(("DD.MM.YYYY",), prefix="BB"), line).reason


def test_a_date_of_two_meanings_must_be_good_in_both() -> None:
    formats = ("DD/MM/YY", "MM/DD/YY")
    assert result(DateRule(formats, latest="2026-02-01"), "01/02/26").ok is True
    found = result(DateRule(formats, latest="2026-01-02"), "01/02/26")
    assert found.ok is False
    assert "2026-02-01 (DD/MM/YY) or 2026-01-02 (MM/DD/YY)" in found.reason
    # 13 is no month: one meaning is left
    assert result(DateRule(formats, latest="2026-02-13"), "13/02/26").ok is True


def test_check_digit() -> None:
    rule = CheckDigitRule("gtin")
    assert result(rule, "4006381333931").ok is True
    assert result(rule, "4006381333932").reason == (
        "the check digit of 4006381333932 is wrong: 1 would be right"
    )
    assert "no GTIN" in result(rule, "12").reason
    # a price beside the number does not hide it
    assert result(rule, "12345670", "4006381333932").ok is True


def test_only_the_region_counts() -> None:
    # rows are 40 of 480 pixels high
    job = Job("job", lines=1, region=(0, 0, 1, 0.09), rules=(TextRule("A"),))
    assert status(job, "A", "B") == "ok"
    verdict = judge(job, make_reading("B", "A"), TODAY)
    assert (verdict.status, verdict.region) == ("ng", job.region)


# rows are 40 of 480 pixels high
FIELDS = Job(
    "job",
    fields=(
        Field("top", region=(0, 0, 1, 0.08), rules=(TextRule("MILK"),)),
        Field("lot", region=(0, 0.085, 1, 0.08), lines=1, rules=(PatternRule("L[0-9]+", line=1),)),
    ),
)


def test_every_field_must_be_ok() -> None:
    assert status(FIELDS, "MILK", "L12") == "ok"
    verdict = judge(FIELDS, make_reading("MILK", "M12"), TODAY)
    assert verdict.status == "ng"
    assert verdict.reasons == ["lot: no line matches L[0-9]+; read: 'M12'"]
    # a text counts in its own field only
    verdict = judge(FIELDS, make_reading("L12", "MILK"), TODAY)
    assert {r.field for r in verdict.results if r.ok is False} == {"top", "lot"}


def test_a_field_without_text_is_not_readable_unless_another_is_ng() -> None:
    verdict = judge(FIELDS, make_reading("MILK"), TODAY)
    assert (verdict.status, verdict.reasons) == ("unreadable", ["lot: no text is read"])
    assert status(FIELDS, "SILK") == "ng"


def test_the_part_around_all_fields() -> None:
    verdict = judge(FIELDS, make_reading("MILK", "L12"), TODAY)
    assert verdict.regions == {"top": (0, 0, 1, 0.08), "lot": (0, 0.085, 1, 0.08)}
    assert verdict.region == pytest.approx((0, 0, 1, 0.165))
    assert Verdict.from_dict(verdict.to_dict()) == verdict


def test_a_verdict_of_a_version_without_fields_is_read() -> None:
    job = Job("job", region=(0, 0, 1, 0.5), rules=(TextRule("A"),))
    verdict = judge(job, make_reading("A"), TODAY)
    data = verdict.to_dict()
    del data["regions"]
    for result in data["results"]:
        del result["field"]
    assert Verdict.from_dict(data) == verdict
    assert Verdict.from_dict({**data, "region": None}).regions == {}


def test_today_is_the_day_of_the_picture() -> None:
    job = Job("job", rules=(DateRule(("YYYY-MM-DD",), "today"),))
    reading = make_reading("2001-09-09")
    assert judge(job, reading, taken=1e9).status == "ok"
    assert judge(job, reading, taken=1e9 + 2 * 86400).status == "ng"


def test_a_verdict_survives_json() -> None:
    job = Job("job", region=(0, 0, 1, 1), rules=(TextRule("A"), PatternRule("B")))
    verdict = judge(job, make_reading("A", ("B", 0.4)), TODAY, taken=1.5)
    assert Verdict.from_dict(verdict.to_dict()) == verdict
    assert verdict.to_dict()["text"] == "A\nB"


@pytest.mark.parametrize(
    "change", [{"status": "fine"}, {"time": "late"}, {"results": [{}]}, {"regions": {"": [1]}}]
)
def test_damaged_verdict_is_refused(change: dict[str, Any]) -> None:
    data = judge(Job("job"), make_reading("A"), TODAY).to_dict()
    with pytest.raises(SdkError, match="Cannot read a Verdict"):
        Verdict.from_dict({**data, **change})
    with pytest.raises(SdkError, match="Cannot read a Verdict"):
        Verdict.from_dict({})
