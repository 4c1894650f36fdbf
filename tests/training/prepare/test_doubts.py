"""Planted wrong labels, found by the packaged model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdk import Reader
from tests.training.conftest import draw_text
from tests.training.prepare.conftest import prepare
from training.__main__ import main
from training.prepare.doubts import log_odds

TEXTS = [
    *("LOT 26A417", "EXP 2030-08", "SN 40718-C", "QTY 12", "REF 114-2086", "BATCH 7731"),
    *("LINE 4", "MADE IN ITALY", "220 V", "NET 500 g", "CODE 9F31", "WEEK 51"),
]
OTHER, NEIGHBOR = (
    "packaged model reads another text",
    "packaged model reads the label of a neighbor",
)
PLANTED = {
    0: ("LOT 26A477", OTHER),  # another character
    3: ("QTY 1", OTHER),  # a character is missing
    7: ("220 V", NEIGHBOR),  # two rows are exchanged
    8: ("MADE IN ITALY", NEIGHBOR),
    10: ("STOP", OTHER),
}


def labels() -> list[str]:
    return [PLANTED.get(i, (text, ""))[0] for i, text in enumerate(TEXTS)]


def doubts(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def check(found: list[dict[str, str]]) -> None:
    assert [row["doubt"] for row in found] == [
        PLANTED.get(i, ("", ""))[1] for i in range(len(TEXTS))
    ]
    for i, row in enumerate(found):
        assert (row["log_odds"] != "") == (i in PLANTED), row
        if i in PLANTED:
            assert row["reading"] == TEXTS[i] and float(row["log_odds"]) > 8


def test_planted_wrong_labels_of_lines_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for i, text in enumerate(TEXTS):
        Image.fromarray(draw_text(text, 40)).save(folder / f"{i:02d}.png")
    rows = [f"{i:02d}.png\t{label}\n" for i, label in enumerate(labels())]
    (folder / "labels.tsv").write_text("image\ttext\n" + "".join(rows), encoding="utf-8")
    assert prepare(folder, "--check-labels") == 0
    check(doubts(tmp_path / "set"))
    assert f"kept, look at them: 3 {OTHER}" in capsys.readouterr().out
    with Image.open(tmp_path / "set" / "doubtful.png") as sheet:
        assert sheet.height >= 32


def test_the_case_of_a_label_does_not_make_it_wrong() -> None:
    picture = draw_text("Total amount", 40)
    with Reader() as reader:
        line = reader.read_line(picture, lattice=True)
    assert line.text == "Total amount"
    plain, capitals = log_odds(line, "Total ambunt"), log_odds(line, "TOTAL AMBUNT")
    assert plain is not None and capitals is not None
    assert 8 < capitals <= plain + 1
    assert log_odds(line, "TOTAL AMOUNT") is None


def test_planted_wrong_labels_of_photos_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    rows = []
    for start in range(0, len(TEXTS), 4):
        photo = np.full((320, 480, 3), 230, np.uint8)
        texts = []
        for i in range(start, start + 4):
            line, x, y = draw_text(TEXTS[i], 40), 30, 20 + 70 * (i - start)
            height, width = line.shape[:2]
            photo[y : y + height, x : x + width] = line
            quad = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
            texts.append({"text": labels()[i], "quad": quad})
        Image.fromarray(photo).save(folder / f"{start:02d}.png")
        rows.append({"image": f"{start:02d}.png", "texts": texts})
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = ["--out", str(tmp_path / "set"), "--split", "50/50/0", "--check-labels"]
    assert main(["photos", "prepare", str(folder), *out]) == 0
    check(doubts(tmp_path / "set"))
