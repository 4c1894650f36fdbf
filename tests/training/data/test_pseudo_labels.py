"""Pseudo-labels: lines on which two readings agree, ignored lines, and photos without text."""

import json

import numpy as np
import pytest
from PIL import Image

from training.data.labels import read_labels
from training.data.pseudo_labels import TeacherLine, agreed, teach
from training.errors import TrainingError


def seen(text, x, confidence=0.99):
    quad = np.array([[x, 10], [x + 60, 10], [x + 60, 30], [x, 30]], np.float32)
    return TeacherLine(text, quad, confidence)


def test_a_label_needs_two_confident_readings():
    first = [seen("LOT 7", 0), seen("0O0", 100), seen("faint", 200, 0.5)]
    second = [seen("lot7", 2), seen("000", 100), seen("faint", 200), seen("new", 300)]
    kept, rest = agreed(first, second, 0.9)
    assert [line.text for line in kept] == ["LOT 7"]
    # the second reading's "lot7" is on the label; other lines are neither text nor background
    assert sorted(line.text for line in rest) == ["000", "0O0", "faint", "faint", "new"]


class Reads:
    """A teacher that says where the dark bar of a picture is, at any size of it."""

    name = "bar finder"

    def __init__(self):
        self.calls = 0

    def read(self, image):
        self.calls += 1
        rows, columns = np.nonzero(image[..., 0] < 100)
        if not len(rows):
            return []
        x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
        return [TeacherLine("BAR", quad, 0.95)]


def test_a_folder_of_photos_becomes_a_labeled_folder_once(tmp_path):
    source, out = tmp_path / "photos", tmp_path / "taught"
    (source / "line1").mkdir(parents=True)
    bar = np.full((100, 200, 3), 255, np.uint8)
    bar[40:60, 20:140] = 0
    Image.fromarray(bar).save(source / "line1" / "a.png")
    Image.fromarray(np.full((80, 80, 3), 255, np.uint8)).save(source / "b.png")
    (source / "broken.jpg").write_bytes(b"no picture")
    teacher = Reads()
    assert teach(teacher, source, out, 0.9) == {"photos": 2, "labels": 1, "ignored": 0}
    rows = {path.name: record for path, record in read_labels(out)}
    assert set(rows) == {"a.png", "b.png"}
    assert rows["b.png"]["texts"] == [] and rows["b.png"]["teacher"] == "bar finder"
    [text] = rows["a.png"]["texts"]
    assert text["text"] == "BAR" and not text["ignore"]
    np.testing.assert_allclose(text["quad"][0], (20, 40), atol=2)
    before = teacher.calls
    assert teach(teacher, source, out, 0.9)["photos"] == 2
    assert teacher.calls == before
    assert json.loads((out / "labels.jsonl").read_text().splitlines()[0])


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="holds no picture"):
        teach(Reads(), tmp_path, tmp_path / "out", 0.9)


def test_photos_of_one_name_in_two_folders_are_two(tmp_path):
    for name in ("a/b.png", "a-b.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 60), "white").save(tmp_path / "photos" / name)
    assert teach(Reads(), tmp_path / "photos", tmp_path / "out", 0.9)["photos"] == 2


@pytest.mark.parametrize("row", ["{", "[1]", '{"image": "images/a.png", "text": "line"}'])
def test_labels_that_are_there_are_not_lost(tmp_path, row):
    source, out = tmp_path / "photos", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    Image.new("RGB", (60, 60), "white").save(source / "a.png")
    (out / "labels.jsonl").write_text(row + "\n")
    with pytest.raises(TrainingError):
        teach(Reads(), source, out, 0.9)
    assert (out / "labels.jsonl").read_text() == row + "\n"
    with pytest.raises(TrainingError, match="inside the folder of photos"):
        teach(Reads(), source, source / "out", 0.9)
