"""Formats: text, JSON lines, TSV and hOCR of the same readings, and how lines become words."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.errors import OptionError
from sdk.formats import TSV_COLUMNS, get_format, split_words
from sdk.results import Char, Quad, Reading, TextLine

XHTML = "{http://www.w3.org/1999/xhtml}"


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def char_line(text: str, confidences: list[float], left: float, top: float) -> TextLine:
    """A line of characters 10 wide and 20 high."""
    chars = tuple(
        Char(char, confidence, box(left + 10 * at, top, left + 10 * at + 10, top + 20))
        for at, (char, confidence) in enumerate(zip(text, confidences, strict=True))
    )
    quad = box(left, top, left + 10 * len(text), top + 20)
    return TextLine(text, 0.9, quad, chars, detection_confidence=0.8)


STRAIGHT = char_line("LOT 12", [0.9, 0.9, 0.9, 0.1, 0.5, 0.5], 30.5, 40.25)
# 90 degrees clockwise: it reads downwards.
DOWN = TextLine("a&b", 0.5, ((300, 10), (300, 110), (280, 110), (280, 10)), angle_rad=math.pi / 2)
PAGE = Reading((STRAIGHT, DOWN), 400, 200)
EMPTY = Reading((), 64, 32)
PAGES = [("a.jpg", PAGE), ('b "<&>".png', EMPTY)]


def test_text() -> None:
    assert get_format("text").write(PAGES) == "LOT 12\na&b\n"


def test_json_has_one_object_on_one_line_for_each_picture() -> None:
    rows = [json.loads(row) for row in get_format("json").write(PAGES).splitlines()]
    assert [row["image"] for row in rows] == ["a.jpg", 'b "<&>".png']
    assert [Reading.from_dict(row["reading"]) for row in rows] == [PAGE, EMPTY]


def test_tsv_is_tesseracts_table() -> None:
    rows = [row.split("\t") for row in get_format("tsv").write(PAGES).splitlines()]
    assert rows == [
        list(TSV_COLUMNS),
        ["1", "1", "0", "0", "0", "0", "0", "0", "400", "200", "-1", ""],
        ["2", "1", "1", "0", "0", "0", "30", "10", "270", "100", "-1", ""],
        ["3", "1", "1", "1", "0", "0", "30", "10", "270", "100", "-1", ""],
        ["4", "1", "1", "1", "1", "0", "30", "40", "61", "21", "-1", ""],
        ["5", "1", "1", "1", "1", "1", "30", "40", "31", "21", "90.00", "LOT"],
        ["5", "1", "1", "1", "1", "2", "70", "40", "21", "21", "50.00", "12"],
        ["4", "1", "1", "1", "2", "0", "280", "10", "20", "100", "-1", ""],
        ["5", "1", "1", "1", "2", "1", "280", "10", "20", "100", "50.00", "a&b"],
        ["1", "2", "0", "0", "0", "0", "0", "0", "64", "32", "-1", ""],
    ]


def test_tsv_columns_are_those_of_tesseract() -> None:
    # `tesseract photo.png - tsv`, version 5, first line.
    header = (
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\t"
        "left\ttop\twidth\theight\tconf\ttext"
    )
    assert get_format("tsv").start() == header + "\n"


def hocr_titles(root: ET.Element, kind: str) -> list[str]:
    return [node.attrib["title"] for node in root.iter() if node.get("class") == kind]


def test_hocr_is_well_formed_and_holds_everything() -> None:
    root = ET.fromstring(get_format("hocr").write(PAGES))
    assert root.tag == f"{XHTML}html"
    assert hocr_titles(root, "ocr_page") == [
        'image "a.jpg"; bbox 0 0 400 200; ppageno 0',
        'image "b %22<&>%22.png"; bbox 0 0 64 32; ppageno 1',
    ]
    assert hocr_titles(root, "ocr_line") == [
        "bbox 30 40 91 61; poly 30 40 90 40 90 60 30 60",
        "bbox 280 10 300 110; poly 300 10 300 110 280 110 280 10; textangle 270.0",
    ]
    assert hocr_titles(root, "ocrx_word") == [
        "bbox 30 40 61 61; x_wconf 90",
        "bbox 70 40 91 61; x_wconf 50",
        "bbox 280 10 300 110; x_wconf 50",
    ]
    words = [node.text for node in root.iter() if node.get("class") == "ocrx_word"]
    assert words == ["LOT", "12", "a&b"]
    names = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert len(set(names)) == len(names)


def test_what_a_pattern_did_is_in_json_and_hocr() -> None:
    fits = replace(STRAIGHT, raw_text='L0T "12', pattern_ok=True)
    other = replace(DOWN, raw_text="a&b", pattern_ok=False)
    pages = [("a.jpg", replace(PAGE, lines=(fits, other)))]
    row = json.loads(get_format("json").write(pages))
    assert Reading.from_dict(row["reading"]).lines == (fits, other)
    root = ET.fromstring(get_format("hocr").write(pages))
    assert [title.partition("x_pattern_ok ")[2] for title in hocr_titles(root, "ocr_line")] == [
        '1; x_raw_text "L0T %2212"',
        '0; x_raw_text "a&b"',
    ]
    # the columns of Tesseract have no place for it
    assert get_format("tsv").write(pages) == get_format("tsv").write([("a.jpg", PAGE)])


@settings(deadline=None)
@given(st.text(max_size=10), st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_hocr_of_any_text_and_name_is_well_formed(text: str, name: str) -> None:
    # File names may hold undecodable bytes, which Python shows as these surrogates.
    name = "".join(char for char in name if not 0xD800 <= ord(char) <= 0xDFFF) + "\udcff"
    text = "".join(char for char in text if not 0xD800 <= ord(char) <= 0xDFFF)
    page = Reading((TextLine(text, 0.5, box(0, 0, 9, 9)),), 10, 10)
    root = ET.fromstring(get_format("hocr").write([(name, page)]))
    found = [node.text for node in root.iter() if node.get("class") == "ocrx_word"]
    assert len(found) == len(text.split())


def test_names_add_no_properties_to_hocr() -> None:
    name = 'a"; bbox 1 1 2 2; x_wconf 99; b "'
    [title] = hocr_titles(ET.fromstring(get_format("hocr").write([(name, EMPTY)])), "ocr_page")
    # readers of hOCR split at semicolons, quoted or not
    kinds = [part.split()[0] for part in title.split(";")]
    assert kinds == ["image", "bbox", "ppageno"]


def test_commands_to_a_terminal_are_shown_as_such_in_no_format() -> None:
    evil = "a\x1b]0;b\x07\x9b2J\u202ec"
    page = replace(PAGE, lines=(TextLine(evil, 0.5, box(0, 0, 9, 9)),))
    for form in ("json", "tsv", "hocr"):
        written = get_format(form).write([(evil, page)])
        assert not set("\x1b\x07\x9b\u202e") & set(written)
    assert json.loads(get_format("json").write([(evil, page)]))["image"] == evil


def test_undecodable_name_in_json_is_valid_utf8() -> None:
    row = get_format("json").write([("caf\udce9.jpg", EMPTY)])
    assert json.loads(row.encode("utf-8"))["image"] == "caf\ufffd.jpg"


def test_boxes_are_kept_inside_the_picture() -> None:
    outside = TextLine("x", 0.5, box(-20, -5, 500, 300))
    beyond = TextLine("y", 0.5, box(450, 250, 470, 260))
    for line in (
        get_format("tsv").write([("a", replace(PAGE, lines=(outside, beyond)))]).split("\n")
    ):
        if line.startswith(("4", "5")):
            left, top, width, height = map(int, line.split("\t")[6:10])
            assert 0 <= left <= left + width <= 400
            assert 0 <= top <= top + height <= 200


def test_unknown_format() -> None:
    with pytest.raises(OptionError, match=r"no format 'pdf'\. Use one of text, json, tsv, hocr"):
        get_format("pdf")


# Words --------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.text(st.sampled_from("ab12 "), max_size=12))
def test_words_are_those_between_spaces(text: str) -> None:
    with_chars = char_line(text, [0.5] * len(text), 0, 0)
    without = replace(with_chars, chars=())
    for line in (with_chars, without):
        assert [word.text for word in split_words(line)] == text.split()
    # Characters of even width: dividing the line evenly gives the same boxes.
    for ours, divided in zip(split_words(with_chars), split_words(without), strict=True):
        for a, b in zip(ours.quad, divided.quad, strict=True):
            assert math.dist(a, b) < 1e-9


def test_word_confidence_is_the_geometric_mean_of_its_characters() -> None:
    line = char_line("ab c", [0.9, 0.4, 0.01, 0.0], 0, 0)
    first, second = split_words(line)
    assert first.confidence == pytest.approx(0.6)
    assert second.confidence == pytest.approx(0.0, abs=1e-8)


def test_words_of_a_slanted_line_are_slanted() -> None:
    line = TextLine("ab cd", 0.5, ((0, 0), (100, 50), (90, 70), (-10, 20)))
    first, second = split_words(line)
    assert first.quad == ((0, 0), (40, 20), (30, 40), (-10, 20))
    assert second.quad == ((60, 30), (100, 50), (90, 70), (50, 50))
