from __future__ import annotations

import numpy as np
import pytest

from demo_app.models.picture import MARK_COLORS
from demo_app.models.product import MOST_ROWS, line_marks, product_boxes, rows_of
from demo_app.models.reasons import explain, main_reason
from demo_app.models.words import result_name
from sdk.station import CheckDigitRule, Field, Job, PatternRule, TextRule, judge
from tests.sdk.station.readings import make_reading

PICTURE = np.zeros((800, 400, 3), np.uint8)
JOB = Job(
    "milk",
    lines=3,
    rules=(TextRule("MILK"), CheckDigitRule("gtin"), PatternRule("LOT [0-9]{3}")),
)


def test_what_is_missing_and_what_is_wrong_come_first() -> None:
    reading = make_reading("MILK", "02000123456783")
    rows = rows_of(PICTURE, reading, judge(JOB, reading))
    assert [(row.mark, row.text) for row in rows] == [
        ("ng", ""),
        ("ng", ""),
        ("ng", "02000123456783"),
        ("ok", "MILK"),
    ]
    # the number of lines says the least
    assert [row.results[0].rule for row in rows[:2]] == ["pattern", "lines"]
    assert [row.crop is None for row in rows] == [True, True, False, False]


def test_line_has_the_worst_of_its_marks() -> None:
    job = Job("one", rules=(TextRule("LOT"), PatternRule("LOT [0-9]{3}", line=1)))
    reading = make_reading(("LOT 1Z3", 0.9))
    assert line_marks(judge(job, reading)) == {0: "ok"}
    doubtful = make_reading("LOT 123", ("LOT 456", 0.3))
    job = Job("two", rules=(TextRule("LOT"), TextRule("MILK")))
    assert line_marks(judge(job, doubtful)) == {0: "ok", 1: "unreadable"}
    both = Job("both", rules=(TextRule("02"), CheckDigitRule("gtin")))
    assert line_marks(judge(both, make_reading("02000123456783"))) == {0: "ng"}
    assert line_marks(None) == {}


def test_line_that_no_rule_is_about_has_no_mark() -> None:
    reading = make_reading("MILK", "keep cool")
    rows = rows_of(PICTURE, reading, judge(Job("any", rules=(TextRule("MILK"),)), reading))
    assert [(row.mark, row.text) for row in rows] == [("ok", "MILK"), ("", "keep cool")]
    assert [row.mark for row in rows_of(PICTURE, reading, None)] == ["", ""]


def test_broken_line_in_a_crowd_is_not_left_out() -> None:
    reading = make_reading(*[f"LINE {i}" for i in range(20)], "02000123456783")
    rows = rows_of(PICTURE, reading, judge(Job("gtin", rules=(CheckDigitRule("gtin"),)), reading))
    assert len(rows) == MOST_ROWS
    assert (rows[0].mark, rows[0].text) == ("ng", "02000123456783")


def test_fields_are_framed_by_their_worst_result() -> None:
    job = Job(
        "two",
        fields=(
            Field("name", region=(0, 0, 1, 0.08), rules=(TextRule("MILK"),)),
            Field("lot", region=(0, 0.085, 1, 0.08), rules=(TextRule("L1"), TextRule("EXP"))),
        ),
    )
    reading = make_reading("MILK", "L1")
    verdict = judge(job, reading)
    name, lot, *lines = product_boxes(reading, verdict)
    assert (name.text, name.color, name.is_strong) == ("name", MARK_COLORS["ok"], False)
    assert (lot.text, lot.color, lot.is_strong) == ("lot", MARK_COLORS["ng"], True)
    assert lot.quad[2] == (1, pytest.approx(0.165))
    assert [box.text for box in lines] == ["MILK", "L1"]
    assert main_reason(verdict) == "lot: EXP missing"
    (missing,) = (row for row in rows_of(np.zeros((480, 640, 3), np.uint8), reading, verdict)[:1])
    assert explain(missing.results[0]) == "lot: EXP missing. Read: 'L1'."
    assert [result_name(result) for result in verdict.results][:2] == [
        "name: Fixed text",
        "lot: Fixed text",
    ]
    # without names there is nothing to tell apart
    plain = judge(Job("one", region=(0, 0, 1, 0.5)), reading)
    assert len(product_boxes(reading, plain)) == 2 == len(product_boxes(reading, None))
