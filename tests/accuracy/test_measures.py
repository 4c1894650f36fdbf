"""The measures of labeled sets, and one engine measured on pictures drawn here."""

from __future__ import annotations

import json
import shutil
import sys
from argparse import ArgumentTypeError
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.accuracy import measure, table
from benchmarks.peers import OURS, Worker, find_engines, peer
from benchmarks.scores import Score
from sdk.model.bundle import DEFAULT_BUNDLE


def box(x: float, width: float = 100.0) -> list[list[float]]:
    return [[x, 0.0], [x + width, 0.0], [x + width, 20.0], [x, 20.0]]


def test_lines_are_compared_by_letters_and_by_all() -> None:
    score = Score(ms=[3.0])
    for label, reading in (("LOT 7.5", "lot 7.5"), ("LOT 7.5", "LOT 75"), ("ABCD", "ABXD")):
        score.add_line(label, reading)
    measures = score.measures()
    assert measures["n"] == 3
    assert measures["exact"] == pytest.approx(2 / 3, abs=1e-4)
    assert measures["text"] == pytest.approx(1 / 3, abs=1e-4)
    assert measures["cer"] == pytest.approx(1 / 14, abs=1e-4)


def test_photos_count_what_is_found_and_what_stands_in_its_place() -> None:
    score = Score(ms=[3.0])
    labels = [
        {"text": "LOT 7", "quad": box(0)},
        {"text": "EXP2027", "quad": box(200)},
        {"text": "unread", "quad": box(600)},
        {"text": "?", "quad": box(400), "ignore": True},
    ]
    # the second label is read in two regions; the last region lies on what is to ignore
    regions = [("LOT7", box(5)), ("EXP", box(200, 50)), ("2027", box(250, 50)), ("x", box(405))]
    score.add_photo(labels, regions)
    assert (score.labels, score.found, score.right, score.regions) == (3, 2, 1, 3)
    measures = score.measures()
    assert measures["text"] == 0  # LOT 7 is not LOT7
    assert measures["found"] == pytest.approx(2 / 3, abs=1e-4)
    assert measures["e2e"] == pytest.approx(2 / 6, abs=1e-4)


def test_regions_without_a_place_are_never_right() -> None:
    score = Score(ms=[1.0])
    score.add_photo([{"text": "A1", "quad": box(0)}], [("A1", None)])
    assert (score.found, score.right, score.regions) == (1, 0, 1)
    assert score.measures()["e2e"] == 0


def test_labels_without_a_place_have_no_end_to_end_score() -> None:
    score = Score(ms=[1.0])
    score.add_photo([{"text": "A1", "quad": None}], [("A1", box(0))])
    assert "e2e" not in score.measures()


def test_a_line_of_a_photo_is_one_label_only() -> None:
    score = Score(ms=[1.0])
    score.add_photo([{"text": "OK  7", "quad": None}] * 2, [("ok 7", box(0)), ("OK", box(0))])
    assert (score.text, score.labels) == (1, 2)


def test_a_photo_is_whole_if_nothing_is_missing_wrong_or_too_much() -> None:
    labels = [{"text": "LOT  7", "quad": None}, {"text": "Exp 2027", "quad": None}]
    for texts, whole in (
        (["Exp 2027", "LOT 7"], True),
        (["EXP 2027", "LOT 7"], False),
        (["LOT 7"], False),
        (["Exp 2027", "LOT 7", "x"], False),
        (["Exp 2027", "LOT 7", "LOT 7"], False),
    ):
        score = Score(ms=[1.0])
        score.add_photo(labels, [(text, None) for text in texts], complete=True)
        assert score.measures()["whole"] == whole
    score.add_photo(labels, [])
    assert (score.photos, score.complete) == (2, 1)


def test_a_set_may_hold_lines_and_photos() -> None:
    score = Score(ms=[1.0, 2.0])
    score.add_line("A1", "A1")
    score.add_photo([{"text": "B2", "quad": None}], [])
    measures = score.measures()
    assert (measures["n"], measures["exact"], measures["found"]) == (2, 1.0, 0.0)
    assert "whole" not in measures
    text = table("both", {"fots-lite": measures, "another": measures})
    assert [line.split() for line in text.splitlines()] == [
        ["both", "n", "exact", "text", "found", "ms"],
        ["fots-lite", "2", "1.000", "0.500", "0.000", "1.5"],
        ["another", "2", "1.000", "0.500", "0.000", "1.5"],
    ]


def test_an_engine_is_measured_on_lines_and_photos(tmp_path: Path) -> None:
    font = ImageFont.load_default(36)
    rows = []
    for name, size in (("line.png", (280, 48)), ("photo.png", (480, 360))):
        picture = Image.new("RGB", size, (235, 235, 235))
        ImageDraw.Draw(picture).text((10, 2), "EXP 08/2029", (20, 20, 30), font)
        picture.save(tmp_path / name)
        text = {"text": "EXP 08/2029", "quad": None, "ignore": False}
        rows.append({"image": name, **(text if name == "line.png" else {"texts": [text]})})
    worker = Worker(OURS, sys.executable)
    for number, row in enumerate(rows):
        folder = tmp_path / f"set{number}"
        folder.mkdir()
        (tmp_path / row["image"]).rename(folder / row["image"])
        (folder / "labels.jsonl").write_text(json.dumps(row) + "\n")
        measures = measure(folder, [worker])[OURS].measures()
        assert measures["n"] == 1 and measures["ms"] > 0
        assert measures["exact" if number == 0 else "found"] == 1.0
    assert worker.end() > 10


def test_readers_are_told_apart_by_their_model(tmp_path: Path) -> None:
    worker = Worker(OURS, sys.executable, str(DEFAULT_BUNDLE))
    assert worker.label == f"{OURS} {DEFAULT_BUNDLE}" and "model " in worker.name
    worker.end()
    with pytest.raises(SystemExit, match="nowhere"):
        Worker(OURS, sys.executable, str(tmp_path / "nowhere"))


def test_tesseract_without_a_language_is_left_out_with_its_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # no package has this language, with or without the program
    assert find_engines(["tesseract:eng+xx_yy"], tmp_path, install=False).keys() == {OURS}
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("tesseract:eng+xx_yy is left out")
    assert said.endswith("tesseract-ocr-xx-yy")


@pytest.mark.parametrize("name", ["rapidocr:deu", "tesseract:", "tesseract:a b", "abbyy"])
def test_a_reader_must_exist(name: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is no reader"):
        peer(name)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract-ocr")
def test_tesseract_reads_with_its_languages(tmp_path: Path) -> None:
    picture = Image.new("L", (420, 60), 255)
    ImageDraw.Draw(picture).text((10, 2), "EXP 08/2029", 0, ImageFont.load_default(40))
    picture.save(tmp_path / "line.png")
    for name, python in find_engines(["tesseract", "tesseract:eng"], tmp_path, False).items():
        if name != OURS:
            worker = Worker(name, python)
            assert worker.name.endswith(", eng")
            ((text, _),) = worker.read(tmp_path / "line.png", line=True)["regions"]
            assert text == "EXP 08/2029"
            worker.end()
