from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from sdk.errors import HistoryError, SdkError
from sdk.results import TextLine
from sdk.station import Field, History, Job, TextRule, judge
from sdk.station.history.export import COLUMNS
from sdk.station.history.labels import align
from tests.sdk.station.readings import make_line, make_reading

IMAGE = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
JOB = Job("milk", rules=(TextRule("MILK"),))


@pytest.fixture
def history(tmp_path: Path) -> History:
    """An OK product without picture, an NG one with, and an unreadable one."""
    history = History(tmp_path / "line.db")
    history.add(judge(JOB, make_reading("MILK", 'a "b", c'), taken=100.5))
    history.add(judge(JOB, make_reading("SILK", "L1"), taken=200), IMAGE)
    history.add(judge(JOB, make_reading(), taken=300))
    history.correct(2, "MILK\nL1")
    return history


def test_csv(history: History, tmp_path: Path) -> None:
    assert history.export_csv(tmp_path / "out.csv") == 3
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["text"] == 'MILK\na "b", c'
    assert rows[1]["correction"] == "MILK\nL1"
    assert rows[1]["reasons"] == "'MILK' is missing; the closest line is 'SILK'"
    assert [row["least_confidence"] for row in rows] == ["0.9", "0.9", ""]
    assert "T" in rows[0]["time"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+49 89", "'+49 89"),
        ("-18.4 C", "'-18.4 C"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("'=1", "''=1"),
        ("-18.4", "-18.4"),
        ("+7", "+7"),
        ("-0,5", "-0,5"),
        ("'tis", "'tis"),
        ("1-2", "1-2"),
    ],
)
def test_no_cell_is_a_formula(tmp_path: Path, text: str, cell: str) -> None:
    with History(tmp_path / "line.db") as history:
        history.correct(history.add(judge(Job("="), make_reading(text))), text)
        history.export_csv(tmp_path / "out.csv")
        history.export_zip(tmp_path / "out.zip")
        history.export_json(tmp_path / "out.json")
    data = (tmp_path / "out.csv").read_bytes()
    (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))
    assert (row["text"], row["correction"], row["job"]) == (cell, cell, "'=")
    with zipfile.ZipFile(tmp_path / "out.zip") as file:
        assert file.read("records.csv") == data
    (record,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (record["text"], record["correction"]) == (text, text)


def test_json(history: History, tmp_path: Path) -> None:
    assert history.export_json(tmp_path / "out.json", status="ng") == 1
    (row,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert row == json.loads(json.dumps(history.get(2).to_dict()))
    assert history.export_json(tmp_path / "none.json", job="other") == 0
    assert json.loads((tmp_path / "none.json").read_text(encoding="utf-8")) == []


def test_zip(history: History, tmp_path: Path) -> None:
    history.add(judge(JOB, make_reading("MILK")), IMAGE)
    assert history.export_zip(tmp_path / "out.zip") == 4
    with zipfile.ZipFile(tmp_path / "out.zip") as file:
        assert file.testzip() is None
        names = ["records.csv", "records.json", "pictures/2.jpg", "pictures/4.jpg"]
        assert file.namelist() == names
        assert len(json.loads(file.read("records.json"))) == 4
        assert len(list(csv.reader(io.StringIO(file.read("records.csv").decode())))) > 4
        assert file.read("pictures/2.jpg") == history.picture(2)
        assert file.read("pictures/4.jpg") == history.thumbnail(4)


def test_exports_replace_a_file_only_when_whole(history: History, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    history.close()
    with pytest.raises(HistoryError):
        history.export_csv(target)
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.glob("*out*")) == ["out.csv"]


def test_unwritable_target(history: History, tmp_path: Path) -> None:
    with pytest.raises(SdkError, match="Cannot write"):
        history.export_zip(tmp_path / "none" / "out.zip")


def labels(folder: Path) -> list[dict[str, object]]:
    text = (folder / "labels.jsonl").read_text(encoding="utf-8")
    return [json.loads(row) for row in text.splitlines()]


def test_labels_of_corrected_readings(history: History, tmp_path: Path) -> None:
    assert history.export_labels(tmp_path / "labelled") == 1
    quads = [[list(p) for p in line.quad] for line in history.get(2).verdict.reading]
    assert labels(tmp_path / "labelled") == [
        {
            "image": "images/2.jpg",
            "width": 640,
            "height": 480,
            "texts": [
                {"text": "MILK", "quad": quads[0], "ignore": False},
                {"text": "L1", "quad": quads[1], "ignore": False},
            ],
        }
    ]
    assert (tmp_path / "labelled" / "images" / "2.jpg").read_bytes() == history.picture(2)
    with pytest.raises(HistoryError, match="not empty"):
        history.export_labels(tmp_path / "labelled")


def test_labels_are_cut_to_the_region(tmp_path: Path) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[120:240, 160:480] = 255
    job = Job("milk", region=(0.25, 0.25, 0.5, 0.25), rules=(TextRule("MILK"),))
    with History(tmp_path / "line.db") as history:
        history.correct(history.add(judge(job, make_reading("", "", "", "SILK")), image), "MILK")
        history.export_labels(tmp_path / "labelled")
    (row,) = labels(tmp_path / "labelled")
    assert (row["width"], row["height"]) == (320, 120)
    written = cv2.imread(str(tmp_path / "labelled" / "images" / "1.jpg"))
    assert written.shape == (120, 320, 3)
    assert written.min() > 240
    (text,) = row["texts"]  # type: ignore[misc]
    whole = make_line("SILK", row=3).quad
    assert text == {"text": "MILK", "quad": [[x - 160, y - 120] for x, y in whole], "ignore": False}


def test_labels_of_several_fields_show_these_fields_only(tmp_path: Path) -> None:
    image = np.full((480, 640, 3), 255, np.uint8)
    image[40:80] = 0  # between the fields
    job = Job(
        "milk",
        fields=(
            Field("name", region=(0.25, 0, 0.5, 1 / 12), rules=(TextRule("MILK"),)),
            Field("lot", region=(0.25, 2 / 12, 0.5, 1 / 12), rules=(TextRule("L1"),)),
        ),
    )
    with History(tmp_path / "line.db") as history:
        verdict = judge(job, make_reading("MILK", "", "LI"))
        history.correct(history.add(verdict, image), "MILK\nL1")
        assert history.get(1).verdict.reasons[0].startswith("lot: 'L1' is missing")
        history.export_csv(tmp_path / "line.csv")
        history.export_labels(tmp_path / "labelled")
    assert "lot: 'L1' is missing" in (tmp_path / "line.csv").read_text(encoding="utf-8")
    (row,) = labels(tmp_path / "labelled")
    assert (row["width"], row["height"]) == (320, 120)
    written = cv2.imread(str(tmp_path / "labelled" / "images" / "1.jpg"))
    assert written[:38].min() > 240 and written[82:].min() > 240
    gap = written[42:78]
    assert 200 < gap.mean() < 250 and gap.std() < 3  # the mean of the picture
    texts = [text["text"] for text in row["texts"]]  # type: ignore[attr-defined]
    assert texts == ["MILK", "L1"]


@pytest.mark.parametrize(
    ("wanted", "read", "pairs"),
    [
        (["A", "B"], ["X", "Y"], ["X", "Y"]),
        (["MILK", "500 g"], ["NILK"], ["NILK", None]),
        (["MILK", "500 g"], ["dirt", "M1LK", "500 9"], ["M1LK", "500 9"]),
        (["MILK"], ["500 g", "L1"], [None]),
        (["MILK"], [], [None]),
        ([], ["dirt"], []),
        (["MILK", "MILK"], ["MILK", "MILK", "MILK"], ["MILK", "MILK"]),
    ],
)
def test_corrected_lines_find_their_boxes(
    wanted: list[str], read: list[str], pairs: list[str | None]
) -> None:
    lines: list[TextLine] = [make_line(text, row=i) for i, text in enumerate(read)]
    found = align(wanted, lines)
    assert [line and line.text for line in found] == pairs
    rows = [line.quad[0][1] for line in found if line]
    assert rows == sorted(set(rows))
