from __future__ import annotations

import math

import numpy as np
import pytest

from convert.verify.fidelity import Fidelity
from convert.verify.floors import FLOORS, Floor, losses, shortfalls
from convert.verify.report import Report, TextMatches, report_table

FLOOR = Floor(relative=0.1, correlation=0.9, same=0.8, lost=0.05)


def fidelity_of(reference: list[float], other: list[float]) -> Fidelity:
    found = Fidelity()
    found.update(np.array(reference), np.array(other))
    return found


def reading(lines: int, same: int, right_before: int, right_after: int) -> TextMatches:
    """Makes a reading line by line: the wrong ones first, the changed ones last."""
    found = TextMatches()
    for i in range(lines):
        before = "true" if i < right_before else "wrong"
        after = before if i < same else ("true" if i < right_after else "other")
        found.update(before, after, "true")
    return found


def test_lines_are_counted() -> None:
    found = TextMatches()
    found.update("ab", "ab", "ab")
    found.update("ab", "aa", "ab")
    found.update("ab", "aa", "aa")
    found.update("ab", "ab", None)
    assert found.to_dict() == {
        "lines": 4,
        "same": 2,
        "labeled": 3,
        "reference_right": 2,
        "variant_right": 2,
    }
    assert (found.share, found.lost) == (0.5, 0.0)
    assert math.isnan(TextMatches().share)
    assert math.isnan(TextMatches().lost)


def test_good_report_has_no_shortfall() -> None:
    report = Report(
        {"line": {"logits": fidelity_of([1.0, 2.0, 3.0], [1.05, 2.0, 3.0])}},
        {"line": reading(100, 90, 50, 50)},
    )
    assert shortfalls({"int8": report}, {"int8": FLOOR}) == []


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        ([1.5, 2.0, 3.0], "int8 line logits: greatest difference 0.17 of the peak, allowed 0.1"),
        ([3.0, 2.0, 1.0], "int8 line logits: correlation -1.0000, least allowed 0.9"),
        ([math.nan, 2.0, 3.0], "int8 line logits: "),
    ],
)
def test_tensor_below_its_floor_is_told(tensor: list[float], message: str) -> None:
    report = Report({"line": {"logits": fidelity_of([1.0, 2.0, 3.0], tensor)}})
    found = shortfalls({"int8": report}, {"int8": FLOOR})
    assert any(sentence.startswith(message) for sentence in found), found


def test_lines_below_their_floor_are_told() -> None:
    report = Report({}, {"line": reading(100, 70, 70, 70)})
    (sentence,) = shortfalls({"int8": report}, {"int8": FLOOR})
    assert sentence.startswith("int8 line: 70 of 100 lines have the text of the float model")
    report = Report({}, {"line": reading(100, 90, 100, 90)})
    (sentence,) = shortfalls({"int8": report}, {"int8": FLOOR})
    assert (
        sentence == "int8 line: 90 of 100 labeled lines right, 100 before; at most 5% may be lost"
    )


def test_strings_that_integers_lose_are_told() -> None:
    report = Report({}, {"line": reading(100, 80, 84, 80)})
    assert losses({"int8": report, "fp32": report}) == [
        "the int8 line reads 80 of 100 labeled lines right, the float network 84"
    ]
    assert losses({"fp32": report}) == []
    assert losses({"int8": Report({}, {"line": reading(200, 180, 100, 99)})}) == []


def test_a_few_lines_prove_nothing() -> None:
    report = Report({}, {"line": reading(10, 0, 10, 0)})
    assert shortfalls({"int8": report}, {"int8": FLOOR}) == []


def test_output_never_compared_is_left_out() -> None:
    report = Report({"recognizer": {"logits": Fidelity()}}, {"recognizer": TextMatches()})
    assert shortfalls({"fp32": report}, FLOORS) == []
    assert report.to_dict()["tensors"] == {"recognizer": {}}
    assert "recognizer" not in report_table({"fp32": report})


def test_table_shows_every_variant() -> None:
    report = Report(
        {"line": {"logits": fidelity_of([1.0, 2.0, 3.0], [1.05, 2.0, 3.0])}},
        {"line": reading(40, 30, 35, 31)},
    )
    text = report_table({"fp32": report, "int8": report})
    assert text.count("logits") == 2
    assert "31/40 77.5%" in text
    assert "87.5%   77.5%" in text
