from __future__ import annotations

import numpy as np

from demo_app.models.product import MOST_ROWS, line_marks, rows_of
from sdk.station import CheckDigitRule, Job, PatternRule, TextRule, judge
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
