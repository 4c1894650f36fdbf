import json

import pytest

from sdk.bulk.parts import KILLED, Counts, count, decode, encode, part_name, part_numbers
from sdk.bulk.plan import Options, Plan, keys_digest
from sdk.errors import OptionError, SdkError
from sdk.results import Char, Reading, TextLine, Timing

READ = {"schema": 4, "width": 8, "height": 6, "model": "m 1", "device": "cpu", "notes": []}
LINE = {
    "text": "Ä\u202e1",
    "confidence": 0.1 + 0.2,
    "probability": 0.25,
    "quad": [[0.0, 0.5], [8.0, 0.5], [8.0, 6.0], [0.0, 6.0]],
    "chars": [{"text": "Ä", "confidence": 0.5, "quad": None, "unknown": True}],
    "detection_confidence": None,
    "angle_rad": -0.25,
    "raw_text": None,
    "pattern_ok": None,
}
ROWS = [
    {"key": "a.jpg", **READ, "page": 1, "lines": [LINE, LINE]},
    {"key": "b.tif", **READ, "page": 1, "lines": []},
    {"key": "b.tif", "error": "Cannot decode page 2."},
    {"key": "sub/c.jpg", "error": f"{KILLED}: its process crashed"},
]


def options(**changes):
    given = {"model": None, "variant": None, "charset": None, "patterns": (), "templates": ()}
    given |= {"min_confidence": None, "literal": False, "whole_lines": False}
    given |= {"max_pixels": 1000, "form": "jsonl"}
    return Options(**{**given, **changes})


def plan(keys=("a", "b", "c"), chunk=2, **changes):
    return Plan("/photos", "/out", keys, chunk, options(**changes), {"numpy": "2.0"})


def test_json_lines_come_back_and_are_one_line_a_row():
    data = encode(ROWS, "jsonl")
    assert data.count(b"\n") == len(ROWS)
    assert "\u202e" not in data.decode()  # would turn a terminal's text around
    assert decode(data, "jsonl") == ROWS


def test_parquet_comes_back():
    pytest.importorskip("pyarrow", reason="the extra cluster is not installed")
    data = encode(ROWS, "parquet")
    assert data == encode(ROWS, "parquet")
    for found, row in zip(decode(data, "parquet"), ROWS, strict=True):
        assert {name: value for name, value in found.items() if value is not None} == {
            name: value for name, value in row.items() if value is not None
        }
    assert count(decode(data, "parquet")) == count(ROWS)


def test_parquet_has_a_column_for_all_that_a_reading_holds():
    pytest.importorskip("pyarrow", reason="the extra cluster is not installed")
    char = Char("A", 0.5, unknown=True)
    line = TextLine("A", 0.5, LINE["quad"], (char,))
    row = Reading((line,), 8, 6, Timing(), "m 1", "cpu").to_dict()
    del row["timing"]
    (found,) = decode(encode([{"key": "a", **row}], "parquet"), "parquet")
    assert found.keys() == {"key", "error", *row}
    assert found["lines"][0].keys() == line.to_dict().keys()
    assert found["lines"][0]["chars"][0].keys() == char.to_dict().keys()


def test_counts_add_up():
    counts, digest = count(ROWS)
    assert counts == Counts(photos=3, pages=2, lines=2, unreadable=2, killed=1)
    assert digest == keys_digest(["a.jpg", "b.tif", "sub/c.jpg"])
    assert counts + counts == Counts(6, 4, 4, 4, 2)


@pytest.mark.parametrize("data", [b'{"key": "a"}', b"", b"\xff\n", b"{\n"])
def test_a_damaged_part_is_noticed(data):
    with pytest.raises((ValueError, KeyError)):
        count(decode(data, "jsonl"))


def test_only_whole_parts_of_the_format_count():
    names = [part_name(3, "jsonl"), "part-100000.jsonl", ".part-00004.jsonl.ab.tmp", "_SUCCESS"]
    assert part_numbers([*names, "part-00005.parquet"], "jsonl") == {3, 100000}


def test_a_plan_cuts_the_keys_into_chunks():
    assert [plan().keys_of(n) for n in range(plan().chunks)] == [("a", "b"), ("c",)]


def test_a_manifest_accepts_the_same_run_only():
    data = json.dumps(plan().manifest()).encode()
    plan().check_manifest(data)
    plan(model="elsewhere").check_manifest(data)  # its content is in the environment
    for other, name in (
        (plan(keys=("a", "b", "d")), "keys_sha256"),
        (plan(chunk=3), "chunk"),
        (plan(charset="AB"), "options.charset"),
    ):
        with pytest.raises(OptionError, match=name):
            other.check_manifest(data)
    with pytest.raises(SdkError, match="damaged"):
        plan().check_manifest(b"{")
