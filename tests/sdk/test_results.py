"""Results: sequences of lines that survive the trip through JSON, and refuse what they are not."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.errors import OptionError, SdkError
from sdk.region import moved
from sdk.results import SCHEMA, Char, Note, Quad, Reading, TextLine, Timing

QUAD: Quad = ((10.0, 20.0), (110.0, 20.0), (110.0, 44.5), (10.0, 44.5))

numbers = st.floats(allow_nan=False, allow_infinity=False)
shares = st.floats(0, 1)
points = st.tuples(numbers, numbers)
quads = st.tuples(points, points, points, points)
# Lone surrogates have no UTF-8 form, so no recognizer's charset holds them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
chars = st.builds(
    Char, text=texts, confidence=shares, quad=st.none() | quads, unknown=st.booleans()
)
lines = st.builds(
    TextLine,
    text=texts,
    confidence=shares,
    quad=quads,
    chars=st.lists(chars, max_size=3).map(tuple),
    detection_confidence=shares,
    angle_rad=numbers,
    raw_text=st.none() | texts,
    pattern_ok=st.none() | st.booleans(),
    probability=shares | st.just(math.nan),
    _lattice=st.none(),
)
timings = st.builds(Timing, **{field.name: numbers for field in dataclasses.fields(Timing)})
readings = st.builds(
    Reading,
    lines=st.lists(lines, max_size=3).map(tuple),
    width=st.integers(1, 20_000),
    height=st.integers(1, 20_000),
    timing=timings,
    model=texts,
    device=texts,
    page=st.integers(1, 500),
    notes=st.lists(st.builds(Note, code=texts, text=texts), max_size=2).map(tuple),
)


@pytest.fixture
def reading() -> Reading:
    chars = Char("A", 0.95, QUAD), Char("B", 0.8)
    line = TextLine("AB 1", 0.9, QUAD, chars, 0.7, 0.0, probability=0.6)
    doubtful = TextLine("x", 0.25, QUAD, raw_text="X", pattern_ok=True)
    timing = Timing(1.0, 2.0, 7.0, 10.5)
    notes = (Note("text_too_small", "Some text is too small."),)
    return Reading((line, doubtful), 640, 480, timing, "default 1", "cpu", 2, notes)


@settings(deadline=None)
@given(readings)
def test_round_trip_through_dict_and_json(reading: Reading) -> None:
    assert Reading.from_dict(reading.to_dict()) == reading
    assert Reading.from_json(reading.to_json()) == reading
    assert Reading.from_json(reading.to_json(indent=2)) == reading
    assert pickle.loads(pickle.dumps(reading)) == reading


def test_dict_is_the_published_schema(reading: Reading) -> None:
    corners = [[10.0, 20.0], [110.0, 20.0], [110.0, 44.5], [10.0, 44.5]]
    assert reading.to_dict() == {
        "schema": 6,
        "width": 640,
        "height": 480,
        "model": "default 1",
        "device": "cpu",
        "page": 2,
        "notes": [{"code": "text_too_small", "text": "Some text is too small."}],
        "timing": {
            "load_ms": 1.0,
            "detect_ms": 2.0,
            "recognize_ms": 7.0,
            "total_ms": 10.5,
        },
        "lines": [
            {
                "text": "AB 1",
                "confidence": 0.9,
                "probability": 0.6,
                "quad": corners,
                "chars": [
                    {"text": "A", "confidence": 0.95, "quad": corners},
                    {"text": "B", "confidence": 0.8, "quad": None},
                ],
                "detection_confidence": 0.7,
                "angle_rad": 0.0,
                "raw_text": None,
                "pattern_ok": None,
            },
            {
                "text": "x",
                "confidence": 0.25,
                "probability": 0.0,
                "quad": corners,
                "chars": [],
                "detection_confidence": 1.0,
                "angle_rad": 0.0,
                "raw_text": "X",
                "pattern_ok": True,
            },
        ],
    }


@pytest.mark.parametrize("schema", [1, 2, 3, 4, 5])
def test_results_from_before_probabilities_have_the_product(reading: Reading, schema: int) -> None:
    data = reading.to_dict()
    data["schema"] = schema
    for line in data["lines"]:
        del line["probability"]
    old = Reading.from_dict(data)
    assert [line.probability for line in old] == [pytest.approx(0.95 * 0.8), 0]


def test_results_from_before_pages_are_read(reading: Reading) -> None:
    data = reading.to_dict()
    data["schema"] = 2
    del data["page"], data["notes"]
    assert Reading.from_dict(data) == dataclasses.replace(reading, page=1, notes=())


def test_results_from_before_patterns_are_read(reading: Reading) -> None:
    data = reading.to_dict()
    data["schema"] = 1
    del data["page"], data["notes"]
    for line in data["lines"]:
        del line["raw_text"], line["pattern_ok"], line["probability"]
    old = Reading.from_dict(data)
    assert old.texts == reading.texts
    assert [(line.raw_text, line.pattern_ok) for line in old] == [(None, None)] * 2


def test_json_is_one_line_unless_indented(reading: Reading) -> None:
    assert "\n" not in reading.to_json()
    assert json.loads(reading.to_json(indent=1)) == reading.to_dict()


def test_reading_is_a_sequence_of_its_lines(reading: Reading) -> None:
    assert len(reading) == 2
    assert list(reading) == list(reading.lines)
    assert reading[-1].text == "x"
    assert reading[:1] == (reading.lines[0],)
    assert reading.texts == ["AB 1", "x"]
    assert reading.text == "AB 1\nx"
    with pytest.raises(IndexError):
        reading[2]


def test_repr_is_short(reading: Reading) -> None:
    assert repr(reading) == (
        "<Reading of 640 x 480 pixels, page 2, 2 lines\n"
        "  'AB 1' 0.900\n"
        "  'x' 0.250\n"
        "  note: Some text is too small.>"
    )
    assert repr(reading[0]) == "<TextLine 'AB 1' 0.900 at 10,20 110,20 110,44 10,44>"
    assert repr(reading[1]).endswith(", fits the pattern>")
    assert repr(Reading((), 640, 480)) == "<Reading of 640 x 480 pixels, 0 lines>"
    many = dataclasses.replace(reading, lines=reading.lines * 500, page=1, notes=())
    assert len(repr(many).splitlines()) == 52
    assert repr(many).endswith("\n  and 950 more lines>")


@given(texts)
def test_repr_is_safe_to_show(text: str) -> None:
    assert repr(TextLine(text, 0.5, QUAD)).isprintable()


def test_no_text_is_an_empty_reading() -> None:
    empty = Reading((), 640, 480)
    assert not empty
    assert (empty.text, empty.texts, list(empty)) == ("", [], [])
    assert Reading.from_json(empty.to_json()) == empty


def test_results_are_frozen_and_carry_no_dict(reading: Reading) -> None:
    for value in (reading, reading[0], reading[0].chars[0], reading.timing, reading.notes[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, None)
        assert not hasattr(value, "__dict__")
        assert hash(value) == hash(copy.deepcopy(value))


@settings(deadline=None)
@given(readings, shares)
def test_filter_keeps_exactly_the_sure_lines_in_order(reading: Reading, least: float) -> None:
    kept = reading.filter(least)
    assert kept.lines == tuple(line for line in reading.lines if line.confidence >= least)
    assert dataclasses.replace(kept, lines=reading.lines) == reading


@pytest.mark.parametrize("least", [-0.01, 1.01, float("nan"), 90])
def test_filter_refuses_what_is_no_share(reading: Reading, least: float) -> None:
    with pytest.raises(OptionError, match=r"min_confidence is .*\. Give a number from 0 to 1"):
        reading.filter(least)


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return change


def test_an_unknown_character_marks_its_line() -> None:
    known, odd = Char("6", 0.9), Char("6", 0.2, unknown=True)
    assert TextLine("6", 0.9, QUAD, (known,)).unknown is False
    line = TextLine("66", 0.5, QUAD, (known, odd))
    assert line.unknown is True
    assert [char.get("unknown") for char in line.to_dict()["chars"]] == [None, True]
    assert TextLine.from_dict(line.to_dict()) == line


def test_a_line_made_by_hand_is_as_probable_as_all_its_characters() -> None:
    line = TextLine("66", 0.6, QUAD, (Char("6", 0.9), Char("6", 0.4)))
    assert line.probability == pytest.approx(0.36)
    assert TextLine("", 0.0, QUAD).probability == 0
    assert line == dataclasses.replace(line)
    assert line != dataclasses.replace(line, probability=0.7)


def test_changed_lines_keep_their_probability(reading: Reading) -> None:
    line = reading[0]
    assert moved(line, 3, 4).probability == 0.6
    assert dataclasses.replace(line, chars=()).probability == 0.6
    assert pickle.loads(pickle.dumps(line)).probability == 0.6


def test_a_line_of_an_ordinary_reading_has_no_lattice() -> None:
    with pytest.raises(OptionError, match="lattice=True"):
        TextLine("6", 0.9, QUAD).lattice()


def drop(*path: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        del data[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("schema", value=SCHEMA + 1), "has schema 7, this version knows up to 6. Update"),
        (put("schema", value="1"), "\"schema\" is '1'"),
        (put("schema", value=True), '"schema" is True'),
        (put("schema", value=0), '"schema" is 0'),
        (drop("schema"), '"schema" is None'),
        (
            put("mood", value=3),
            "a Reading: found one with unknown mood. Use exactly the keys device, ",
        ),
        (drop("width"), "a Reading: found one without width"),
        (put("width", value=1.5), '"width" is 1.5. It must be a whole number of 0 or more'),
        (put("height", value=-1), '"height" is -1'),
        (put("model", value=None), '"model" is None. It must be a string'),
        (put("page", value="2"), "\"page\" is '2'"),
        (put("notes", value="abc"), "\"notes\" is 'abc'. It must be a list"),
        (put("notes", 0, "code", value=7), 'a Note: "code" is 7. It must be a string'),
        (put("lines", value="abc"), "\"lines\" is 'abc'. It must be a list"),
        (put("lines", 0, value="abc"), "a TextLine: found str"),
        (put("lines", 0, "bold", value=True), "a TextLine: found one with unknown bold"),
        (put("lines", 0, "quad", value=None), '"quad" is None. It must be four [x, y] points'),
        (put("lines", 0, "quad", value=[[1, 2]] * 3), "It must be four [x, y] points"),
        (put("lines", 0, "quad", 2, value=[1, 2, 3]), "It must be four [x, y] points"),
        (put("lines", 0, "quad", 2, 1, value="9"), "\"quad\" is '9'. It must be a finite number"),
        (put("lines", 0, "confidence", value=float("nan")), '"confidence" is nan'),
        (put("lines", 0, "confidence", value=True), '"confidence" is True'),
        (put("lines", 0, "probability", value=None), '"probability" is None. It must be a finite'),
        (put("lines", 0, "probability", value=float("nan")), '"probability" is nan'),
        (put("lines", 0, "chars", 1, "text", value=7), 'a Char: "text" is 7'),
        (drop("lines", 0, "chars", 1, "quad"), "a Char: found one without quad"),
        (put("lines", 0, "raw_text", value=7), 'a TextLine: "raw_text" is 7'),
        (put("lines", 0, "pattern_ok", value=1), '"pattern_ok" is 1. It must be true, false or'),
        (drop("timing", "total_ms"), "a Timing: found one without total_ms"),
        (put("timing", value=None), "a Timing: found NoneType"),
        (put("timing", "load_ms", value="fast"), "\"load_ms\" is 'fast'"),
    ],
)
def test_from_dict_says_what_is_wrong(
    reading: Reading, change: Callable[[Any], None], message: str
) -> None:
    data = reading.to_dict()
    change(data)
    with pytest.raises(SdkError) as caught:
        Reading.from_dict(data)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", '"text"'])
def test_from_json_refuses_other_texts(text: str) -> None:
    with pytest.raises(SdkError, match="Cannot read a Reading"):
        Reading.from_json(text)
