"""What is left out, told and refused; what is written; what an interruption leaves."""

from __future__ import annotations

import contextlib
import csv
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.conftest import draw_text
from tests.training.prepare.conftest import TEXTS, prepare, rows
from training.data.labels import SPLITS


def write_labels(folder: Path, labels: list[tuple[str, str]], header: str = "image,text") -> None:
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        file.write(header + "\n")
        csv.writer(file).writerows(labels)


def own_labels(folder: Path) -> list[tuple[str, str]]:
    return [(f"images/{i}.png", text) for i, text in enumerate(TEXTS)]


def manifest(folder: Path) -> dict[str, dict[str, str]]:
    with (folder.parent / "set" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {row["original"]: row for row in csv.DictReader(file)}


def nothing_is_left(folder: Path) -> bool:
    return {path.name for path in folder.parent.iterdir()} == {folder.name}


def test_what_cannot_be_used_is_left_out_and_told(pictures, capsys):
    images = pictures / "images"
    (images / "torn.png").write_bytes((images / "0.png").read_bytes()[:60])
    Image.fromarray(draw_text("WIDE", 20)).resize((4000, 32)).save(images / "wide.png")
    Image.fromarray(np.rot90(draw_text("TURNED", 20))).save(images / "turned.png")
    Image.fromarray(draw_text("low", 32)[:6]).save(images / "low.png")
    Image.fromarray(draw_text("AB", 30)).save(images / "crowded.png")
    (images / "again.png").write_bytes((images / "1.png").read_bytes())
    (images / "other.png").write_bytes((images / "2.png").read_bytes())
    wrong = {
        "images/torn.png": ("torn", "picture unreadable"),
        "images/wide.png": ("WIDE", "picture too wide for a line"),
        "images/turned.png": ("TURNED", "picture higher than wide"),
        "images/low.png": ("low", "picture lower than 10 px"),
        "images/crowded.png": ("A much longer text than this", "text too long for its picture"),
        "images/again.png": (TEXTS[1], "picture is there twice"),
        "images/other.png": ("another", "same picture with another text"),
        "images/none.png": ("none there", "picture missing"),
        "images/3.png": ("", "no text"),
        "images/4.png": ("###", "no text"),
        "images/5.png": ("Ünï", "character outside the charset"),
        "../labels.png": ("outside", "picture outside the folder"),
    }
    Image.fromarray(draw_text("outside", 24)).save(pictures.parent / "labels.png")
    own = dict(own_labels(pictures)) | {name: text for name, (text, _) in wrong.items()}
    write_labels(pictures, list(own.items()))
    assert prepare(pictures, "--split", "50/25/25") == 0
    found = manifest(pictures)
    assert {name: found[name]["status"] for name in wrong} == {n: r for n, (_, r) in wrong.items()}
    assert found["images/2.png"]["status"] == "same picture with another text"
    kept = [name for name, row in found.items() if row["status"] == "kept"]
    assert kept == ["images/0.png", "images/1.png", "images/6.png", "images/7.png"]
    said = capsys.readouterr().out
    for _, reason in wrong.values():
        assert reason in said
    assert len(list((pictures.parent / "set" / "images").rglob("*.png"))) == 4


def test_missing_texts_may_get_a_text(pictures):
    labels = own_labels(pictures)
    labels[3] = ("images/3.png", "")
    write_labels(pictures, labels)
    assert prepare(pictures, "--null-text", "null", "--split", "50/25/25") == 0
    assert [row["text"] for row in rows(pictures)][3] == "null"


def test_words_that_look_like_missing_values_stay_and_are_told(pictures, capsys):
    labels = own_labels(pictures)
    labels[3] = ("images/3.png", "NA")
    write_labels(pictures, labels)
    assert prepare(pictures, "--split", "50/25/25") == 0
    assert [row["text"] for row in rows(pictures)][3] == "NA"
    assert "1 text looks like a missing value" in capsys.readouterr().out
    assert (pictures.parent / "set" / "doubtful.png").exists()


def test_maps_statistics_and_sheet(pictures):
    write_labels(pictures, own_labels(pictures))
    assert prepare(pictures, "--charset", "auto", "--split", "50/25/25") == 0
    out = pictures.parent / "set"
    numbers = json.loads((out / "char2int.json").read_text(encoding="utf-8"))
    characters = json.loads((out / "int2char.json").read_text(encoding="utf-8"))
    assert set(numbers) == set("".join(TEXTS)) and characters["0"] == ""
    assert {number: c for c, number in numbers.items()} == {
        int(n): c for n, c in characters.items() if c
    }
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    statistics = json.loads((out / "statistics.json").read_text(encoding="utf-8"))
    assert statistics["kept"] == len(TEXTS) and statistics["characters"]["7"] == 3
    with Image.open(out / "samples.png") as sheet:
        assert sheet.height > 24


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Two hundred pictures of forty photos, with texts of 1 to 12 characters."""
    folder = tmp_path / "own"
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (folder / "labels.txt").open("w") as file:
        for i in range(200):
            text = "".join(rng.choice(list("ABCDEF123"), 1 + i // 5 % 12))
            line = draw_text(text, 20)
            line[0, 0] = i, 0, 0  # no two are equal
            Image.fromarray(line).save(folder / f"photo{i // 5}_{i % 5}.png")
            file.write(f"photo{i // 5}_{i % 5}.png {text}\n")
    return folder


def test_the_split_is_stratified_by_source_and_always_the_same(many):
    assert prepare(many, "--group", r"(photo\d+)_", "--split", "60/20/20") == 0
    first = rows(many)
    side = {str(row["source"]): row["split"] for row in first}
    assert all(side[str(row["source"])] == row["split"] for row in first) and len(side) == 40
    sizes = {split: sum(row["split"] == split for row in first) for split in SPLITS}
    assert sizes == {"train": 120, "validation": 40, "test": 40}
    mean = {s: np.mean([len(str(r["text"])) for r in first if r["split"] == s]) for s in SPLITS}
    assert max(mean.values()) - min(mean.values()) < 1.6
    (many.parent / "set").rename(many.parent / "earlier")
    assert prepare(many, "--group", r"(photo\d+)_", "--split", "60/20/20") == 0
    assert rows(many) == first


def test_transparent_and_turned_pictures_are_stored_as_seen(pictures):
    images = pictures / "images"
    line = draw_text("LOT 7", 24)
    alpha = np.where(line.min(-1, keepdims=True) < 128, 255, 0).astype(np.uint8)
    Image.fromarray(np.concatenate([np.zeros_like(line), alpha], -1)).save(images / "0.png")
    turned = Image.fromarray(np.rot90(draw_text(TEXTS[1], 24), -1))
    exif = Image.Exif()
    exif[0x0112] = 8  # shown turned by 90 degrees
    turned.save(images / "1.jpg", exif=exif, quality=95)
    write_labels(pictures, [*own_labels(pictures), ("images/1.jpg", "turned")])
    assert prepare(pictures, "--split", "50/25/25") == 0
    found = manifest(pictures)
    out = pictures.parent / "set"
    with Image.open(out / found["images/0.png"]["image"]) as stored:
        assert stored.mode == "RGB" and np.array(stored).max() > 200  # dark text on white
    with Image.open(out / found["images/1.jpg"]["image"]) as stored:
        assert stored.height == 24 and stored.getexif().get(0x0112, 1) == 1


BAD = [
    ("picture,words here\na,b", (), "no usual name of the pictures' column", "--image-column"),
    ("image,note\nimages/0.png,b", (), "no usual name of the texts' column", "'note'"),
    (
        "image,note\nimages/0.png,b",
        ("--text-column", "notes"),
        "no column 'notes'",
        "Its columns: 'image', 'note'",
    ),
    ("image,text\nimages/0.png,1,5 kg", (), "has 3 cells, the first row 2", "in quotes"),
    ("images/0.png,1,5 kg\nimages/1.png,2,5 kg", (), "does not name its columns", "'images/0.png"),
    ('image,text\nimages/0.png,"open\nimages/1.png,b', (), "labels.csv, line", "in quotes"),
    ("", (), "The file is empty", "no usual name"),
    ("image,text\n", (), "holds no label", "labels.csv"),
    (
        "image,text\nimages/0.png,1\nimages/1.png,11\nimages/2.png,111",
        (),
        "one character '1'",
        "labels",
    ),
    ("image,text\nx/0.png,a\nx/1.png,b", (), "2 picture missing", "looked for in"),
    (
        "image,text\nimages/0.png,LOT 7\nimages/0.png,LOT 7",
        (),
        "One source picture is too few",
        "1 picture is there twice",
    ),
    ("image,text\nimages/0.png,ä\nimages/1.png,ö", (), "2 character outside", "'ä'"),
    ("image,text\nimages/0.png,a", ("--split", "10/90"), "--split 10/90", "80/10/10"),
    ("image,text\nimages/0.png,a", ("--group", "x"), "--group 'x' has no group", "parentheses"),
]


@pytest.mark.parametrize(("content", "options", "first", "second"), BAD)
def test_bad_labels_are_refused_and_nothing_is_written(
    pictures, capsys, content, options, first, second
):
    (pictures / "labels.csv").write_text(content, encoding="utf-8")
    assert prepare(pictures, *options) == 1
    said = capsys.readouterr().err
    message = said[said.index("error:") :]
    assert first.lower() in message.lower() and second in message
    assert nothing_is_left(pictures)


def test_another_encoding_is_named_with_its_line(pictures, capsys):
    path = pictures / "labels.csv"
    path.write_bytes("image,text\nimages/0.png,a\nimages/1.png,Größe\n".encode("latin-1"))
    assert prepare(pictures) == 1
    assert "labels.csv, line 3 is not in utf-8: it holds the byte 0xf6" in capsys.readouterr().err
    assert nothing_is_left(pictures)
    options = ("--encoding", "latin-1", "--charset", "auto", "--split", "50/50/0")
    assert prepare(pictures, *options) == 0
    assert [row["text"] for row in rows(pictures)] == ["a", "Größe"]


def test_folders_without_labels_are_refused(pictures, capsys):
    assert prepare(pictures.parent / "nowhere") == 1
    assert "is not a folder of pictures" in capsys.readouterr().err
    Image.fromarray(draw_text("7", 20)).save(pictures / "7.png")
    assert prepare(pictures) == 1
    assert "no file of labels" in capsys.readouterr().err
    (pictures / "labels.csv").write_text("image,text\n")
    (pictures / "labels.txt").write_text("x")
    assert prepare(pictures) == 1
    assert "several files of labels: labels.csv, labels.txt" in capsys.readouterr().err
    assert nothing_is_left(pictures)


def test_a_folder_is_not_overwritten(pictures, capsys):
    write_labels(pictures, own_labels(pictures))
    (pictures.parent / "set").mkdir()
    (pictures.parent / "set" / "mine.txt").write_text("x")
    assert prepare(pictures) == 1
    assert "set exists" in capsys.readouterr().err
    assert [path.name for path in (pictures.parent / "set").iterdir()] == ["mine.txt"]


LIMITED = """
import resource, sys
from training.__main__ import main
code = main(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""


def test_a_big_table_is_not_read_into_memory(pictures):
    """A table of 25 MB takes less than half of its size more than a small one."""
    write_labels(pictures, own_labels(pictures))
    peaks = []
    for count in (0, 100_000):
        with (pictures / "labels.csv").open("a") as file:
            file.writelines(f"missing/{'x' * 220}{i}.png,TEXT {i}\n" for i in range(count))
        out = pictures.parent / f"set{count}"
        command = ["lines", "prepare", str(pictures), "--out", str(out), "--split", "50/25/25"]
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, *command], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout.rpartition("peak ")[2]))
    assert (pictures / "labels.csv").stat().st_size > 24e6
    assert "100,000 picture missing" in done.stdout
    assert peaks[1] - peaks[0] < 12_000  # KiB


def examined(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        found = journal.execute("SELECT count(*) FROM item WHERE outcome IS NOT NULL").fetchone()
    return int(found[0])


def test_an_interrupted_preparation_goes_on(many):
    out = many.parent / "set"
    with (many / "labels.txt").open("a") as file:
        file.writelines(f"missing{i}.png T\n" for i in range(20_000))
    command = [sys.executable, "-m", "training", "lines", "prepare", str(many), "--out", str(out)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    first = many.parent / ".set.unfinished" / "images" / "0000" / "0000000.png"
    deadline = time.monotonic() + 300
    while not (first.exists() and examined(many.parent / ".set.unfinished" / "journal.sqlite")):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 130 and "run the same command again" in said
    assert "Traceback" not in said and not out.exists()
    written = first.stat().st_mtime_ns
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (out / "images" / "0000" / "0000000.png").stat().st_mtime_ns == written
    assert len(rows(many)) == 200
    assert not first.exists()
