import csv
import json

import cv2
import numpy as np
import pytest

from tests import tiny
from training.__main__ import main
from training.data.shards import shard_path, write_shard
from training.evaluate.diagnose.report import table


def entry(text, x, y, width, height=32, ignore=False):
    quad = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
    return {"text": text, "quad": quad, "ignore": ignore}


@pytest.fixture
def labeled(tmp_path):
    """Two sets in the tiny script: lines, one mislabeled; a photo with lines beside its labels."""
    folder = tmp_path / "data"
    lines, photos = folder / "lines", folder / "photos"
    rows = []
    lines.mkdir(parents=True)
    for i, (drawn, label) in enumerate([("ABC", "ABC"), ("DAB", "DAB"), ("FGH", "FCH")]):
        cv2.imwrite(str(lines / f"{i}.png"), tiny.draw_line(drawn)[..., ::-1])
        rows.append({"image": f"{i}.png", "text": label})
    (lines / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    photos.mkdir()
    photo = tiny.draw_photo([("ABC", 8, 8), ("DEF", 8, 72)], (128, 128))
    cv2.imwrite(str(photos / "0.png"), photo[..., ::-1])
    width = tiny.draw_line("ABC").shape[1]
    row = {"image": "0.png", "texts": [entry("ABC", 8, 8, width), entry("GAG", 90, 100, 30, 20)]}
    (photos / "labels.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def diagnose(*arguments):
    return main(["diagnose", *map(str, arguments)])


def test_diagnosis_of_a_bundle(tiny_bundle, labeled, tmp_path, capsys):
    out = tmp_path / "out"
    assert diagnose("--bundle", tiny_bundle, "--data", labeled, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "lines: 2 of 3 read; 1 wrong characters" in printed
    record = json.loads((out / "summary.json").read_text())
    lines, photos, everything = record["sets"]
    assert (lines["labels"], lines["read"], lines["wrong characters"]) == (3, 2, 1)
    assert (photos["read"], photos["not detected"], photos["unlabeled"]) == (1, 1, None)
    assert (everything["pictures"], everything["labels"], everything["read"]) == (4, 5, 3)
    heights = {row["height"]: row["labels"] for row in record["frame_heights"]}
    assert heights["32-48"] == 1 and heights["16-24"] == 1
    with (out / "lines.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["reading"] for row in rows] == ["ABC", "DAB", "FGH", "ABC", ""]
    assert rows[3]["iou"] > "0.9"
    assert "C -> G" in (out / "lines" / "confusion.txt").read_text()
    sheet = cv2.imread(str(out / "lines" / "wrong-characters.png"))
    assert sheet.shape[1] == 1600 and sheet.std() > 5
    assert (out / "photos" / "not-detected.png").exists()


def test_shards_are_taken_as_wholly_labelled(tiny_bundle, tmp_path, capsys):
    photo = tiny.draw_photo([("ABC", 8, 8), ("DEF", 8, 72)], (128, 128))
    width = tiny.draw_line("ABC").shape[1]
    record = {"width": 128, "height": 128, "texts": [entry("ABC", 8, 8, width)]}
    data = tmp_path / "shards"
    data.mkdir()
    write_shard(shard_path(data, 0), [(0, photo, record)])
    out = tmp_path / "out"
    assert diagnose("--bundle", tiny_bundle, "--data", data, "--out", out) == 0
    (own, everything) = json.loads((out / "summary.json").read_text())["sets"]
    assert own["unlabeled"] == everything["unlabeled"] == 1


def test_a_second_round_shows_what_changed(tiny_bundle, labeled, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    common = ["--bundle", tiny_bundle, "--data", labeled, "--only", "lines"]
    assert diagnose(*common, "--out", first) == 0
    labels = labeled / "lines" / "labels.jsonl"
    labels.write_text(labels.read_text().replace("FCH", "FGH"))
    capsys.readouterr()
    # into the folder of an earlier one: its sheets must not stay
    (second / "lines").mkdir(parents=True)
    (second / "lines" / "wrong-characters.png").write_bytes(b"old")
    assert diagnose(*common, "--out", second, "--before", first) == 0
    change = (
        capsys.readouterr().out.partition("change since the earlier diagnosis:\n")[2].splitlines()
    )
    columns, values = change[0].split("  "), change[1].split()
    assert values[:4] == ["lines", "3", "3", "1"] and columns[0] == "set"
    assert not (second / "lines" / "wrong-characters.png").exists()


def test_a_run(line_shards, line_run, tmp_path, capsys):
    out = tmp_path / "out"
    assert diagnose("--run", line_run, "--data", line_shards, "--out", out, "--limit", 5) == 0
    (own, _) = json.loads((out / "summary.json").read_text())["sets"]
    assert own["labels"] == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "plates"], "holds no set plates. It holds: lines, photos"),
        (["--before", "nowhere"], "Cannot read the diagnosis"),
    ],
)
def test_bad_arguments(tiny_bundle, labeled, tmp_path, capsys, arguments, message):
    common = ["--bundle", tiny_bundle, "--data", labeled, "--out", tmp_path / "out"]
    assert diagnose(*common, *arguments) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_out_is_a_file(tiny_bundle, labeled, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    common = ["--bundle", tiny_bundle, "--data", labeled, "--out", tmp_path / "out"]
    assert diagnose(*common) == 1
    assert "Cannot make the folder" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


def test_tables():
    assert table([]) == ""
    rows = [{"set": "a", "n": 1, "extra": None}, {"set": "long", "n": 10, "extra": 2}]
    assert table(rows).splitlines() == ["set    n  extra", "a      1", "long  10      2"]
    assert np.ptp([len(line) for line in table(rows[1:]).splitlines()]) == 0
