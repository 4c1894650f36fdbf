"""Labeled photos in all forms give the same labeled folder; what cannot be used is told."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sdk import Reader
from sdk.charsets import CHARSETS
from sdk.station import History, Job, judge
from sdk.station.history.labels import write_labels
from tests.training.conftest import draw_text
from training.__main__ import main
from training.config import load_config
from training.data.dataset import find_parts
from training.data.labels import LABELS, read_labeled
from training.data.line_images import LineImages
from training.data.photos import PhotoBatches, Photos

TEXTS = [["LOT 26A417", "EXP 2030"], ["REF 114", 'say "hi", please'], ["SN 40718"], []]
CONFIG = Path(__file__).parents[3] / "training" / "configs" / "fots.toml"


def photo(texts: list[str], number: int) -> tuple[Image.Image, list[list[list[float]]]]:
    """Return a photo with lines below each other, and their quads."""
    picture = Image.new("RGB", (480, 200), (225, 220, 210 - number))
    quads = []
    for i, text in enumerate(texts):
        line = draw_text(text, 36)
        x, y, (height, width) = 20.0 + 7 * number, 20.0 + 60 * i, line.shape[:2]
        picture.paste(Image.fromarray(line), (int(x), int(y)))
        quads.append([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    return picture, quads


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a photo for each list of `TEXTS`."""
    folder = tmp_path / "own"
    (folder / "images").mkdir(parents=True)
    for number, texts in enumerate(TEXTS):
        photo(texts, number)[0].save(folder / "images" / f"img_{number}.png")
    return folder


def name(number: int) -> str:
    return f"images/img_{number}.png"


def quads(number: int) -> list[list[list[float]]]:
    return photo(TEXTS[number], number)[1]


def own_rows() -> list[dict[str, Any]]:
    return [
        {
            "image": name(n),
            "texts": [{"text": t, "quad": q} for t, q in zip(texts, quads(n), strict=True)],
        }
        for n, texts in enumerate(TEXTS)
    ]


def labels_jsonl(folder: Path, rows: list[dict[str, Any]] | None = None) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows or own_rows())
    (folder / LABELS).write_text(text, encoding="utf-8")


def icdar_2015(folder: Path) -> None:
    (folder / "gt").mkdir()
    for n, texts in enumerate(TEXTS):
        rows = [
            ",".join(str(round(v)) for corner in q for v in corner) + f",{t}\r\n"
            for t, q in zip(texts, quads(n), strict=True)
        ]
        (folder / "gt" / f"gt_img_{n}.txt").write_bytes(b"\xef\xbb\xbf" + "".join(rows).encode())


def icdar_2013(folder: Path) -> None:
    for n, texts in enumerate(TEXTS):
        rows = [
            f'{q[0][0]:.0f}, {q[0][1]:.0f}, {q[2][0]:.0f}, {q[2][1]:.0f}, "{t}"\n'
            for t, q in zip(texts, quads(n), strict=True)
        ]
        (folder / "images" / f"img_{n}.txt").write_text("".join(rows))


def paddle(folder: Path) -> None:
    rows = [
        [{"transcription": t, "points": q} for t, q in zip(texts, quads(n), strict=True)]
        for n, texts in enumerate(TEXTS)
    ]
    text = "".join(f"{name(n)}\t{json.dumps(row)}\n" for n, row in enumerate(rows))
    (folder / "Label.txt").write_text(text, encoding="utf-8")


def roboflow(folder: Path) -> None:
    boxes = [
        {
            "image_id": n,
            "category_id": 1,
            "bbox": [*q[0], q[2][0] - q[0][0], q[2][1] - q[0][1]],
            "attributes": {"text": t},
        }
        for n, texts in enumerate(TEXTS)
        for t, q in zip(texts, quads(n), strict=True)
    ]
    images = [{"id": n, "file_name": name(n)} for n in range(len(TEXTS))]
    document = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "text"}]}
    (folder / "_annotations.coco.json").write_text(json.dumps(document))


def prepare(folder: Path, *options: str, out: str = "set") -> int:
    place = str(folder.parent / out)
    return main(["photos", "prepare", str(folder), "--out", place, "--split", "50/25/25", *options])


def found(folder: Path, out: str = "set") -> list[dict[str, Any]]:
    return [record for _, record in read_labeled(folder.parent / out)]


def statuses(folder: Path) -> list[tuple[str, str]]:
    with (folder.parent / "set" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["status"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("write", [labels_jsonl, icdar_2015, icdar_2013, paddle, roboflow])
def test_labels_in_all_forms_become_the_same_rows(
    photos: Path, write: Callable[[Path], None]
) -> None:
    write(photos)
    assert prepare(photos) == 0
    rows = found(photos)
    assert [[t["text"] for t in row["texts"]] for row in rows] == TEXTS
    assert not any(t["ignore"] for row in rows for t in row["texts"])
    for n, row in enumerate(rows):
        places = [t["quad"] for t in row["texts"]]
        assert np.allclose(np.array(places).reshape(-1, 2), np.array(quads(n)).reshape(-1, 2))
        copy = photos.parent / "set" / row["image"]
        assert copy.read_bytes() == (photos / name(n)).read_bytes()
    assert sorted(row["split"] for row in rows) == ["test", "train", "train", "validation"]
    assert prepare(photos, out="again") == 0
    assert found(photos, "again") == rows
    assert (photos.parent / "set" / "samples.png").exists()
    # the same labels are lines too
    lines = photos.parent / "lines"
    options = ["--out", str(lines), "--split", "50/50/0"]
    assert main(["lines", "prepare", str(photos), *options]) == 0
    assert [row["text"] for row in found(photos, "lines")] == [t for ts in TEXTS for t in ts]


def test_what_cannot_be_read_is_ignored_in_its_photo(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = own_rows()
    lot, exp = rows[0]["texts"]
    high = [[5, 100], [15, 100], [15, 190], [5, 190]]
    rows[0]["texts"] = [
        {**lot, "quad": [[x - 22, y] for x, y in lot["quad"]]},  # 2 px to the left of the picture
        {**exp, "quad": [exp["quad"][i] for i in (0, 3, 2, 1)]},  # counterclockwise
        {"text": "###", "quad": [[300, 10], [400, 10], [400, 40], [300, 40]]},
        {"text": "hidden", "quad": [[300, 60], [400, 60], [400, 90], [300, 90]], "ignore": True},
        {"text": "Größe", "quad": [[300, 110], [400, 110], [400, 140], [300, 140]]},
        {"text": "cut", "quad": [[430, 160], [530, 160], [530, 190], [430, 190]]},
        {"text": "far", "quad": [[600, 10], [700, 10], [700, 40], [600, 40]]},
        {"text": "flat", "quad": [[300, 150], [400, 150], [400, 150], [300, 150]]},
        {"text": "stacked", "quad": high},
        {"text": "much too long a text", "quad": [[200, 160], [240, 160], [240, 190], [200, 190]]},
    ]
    labels_jsonl(photos, rows)
    assert prepare(photos) == 0
    wanted = [
        ("LOT 26A417", "kept"),
        ("EXP 2030", "kept"),
        ("", "no text"),
        ("", "no text"),
        ("Größe", "character outside the charset"),
        ("cut", "box reaches out of the picture"),
        ("far", "box outside the picture"),
        ("flat", "box without an area"),
        ("stacked", "box higher than wide"),
        ("much too long a text", "text too long for its box"),
    ]
    assert statuses(photos)[: len(wanted)] == wanted
    first = found(photos)[0]["texts"]
    assert [(t["text"], t["ignore"]) for t in first] == [
        (text, status != "kept") for text, status in wanted if text not in ("far", "flat")
    ]
    places = {t["text"]: np.array(t["quad"]) for t in first}
    assert places["LOT 26A417"].min() == 0 and places["cut"].max() == 480
    assert np.allclose(places["EXP 2030"], exp["quad"])
    said = capsys.readouterr().out
    assert "4 photos with 5 texts" in said and "kept, but not read: 2 no text" in said


def test_photos_that_cannot_be_used_are_left_out(photos: Path) -> None:
    images = photos / "images"
    (images / "torn.png").write_bytes((images / "img_0.png").read_bytes()[:90])
    (images / "copy.png").write_bytes((images / "img_0.png").read_bytes())
    (images / "other.png").write_bytes((images / "img_1.png").read_bytes())
    Image.new("RGB", (200, 20)).save(images / "flat.png")
    rows = own_rows()
    box = [[1, 1], [90, 1], [90, 19], [1, 19]]
    wrong = {
        "images/torn.png": ([{"text": "torn", "quad": box}], "picture unreadable"),
        "images/none.png": ([{"text": "none", "quad": box}], "picture missing"),
        "../secret.png": ([{"text": "away", "quad": box}], "picture outside the folder"),
        "images/flat.png": ([{"text": "low", "quad": box}], "picture smaller than 32 px"),
        "images/copy.png": (rows[0]["texts"], "picture is there twice"),
        "images/other.png": (rows[0]["texts"], "same picture with another text"),
        "images/img_2.png": (
            [*rows[2]["texts"], {"text": "anywhere", "quad": None}],
            "photo with a text without a place",
        ),
    }
    photo(["X"], 9)[0].save(photos.parent / "secret.png")
    kept = [row for row in rows if row["image"] not in wrong]
    added = [{"image": n, "texts": texts} for n, (texts, _) in wrong.items()]
    labels_jsonl(photos, [*kept, *added])
    assert prepare(photos, "--split", "50/50/0") == 0
    with (photos.parent / "set" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        by_name = {row["original"]: row["status"] for row in csv.DictReader(file)}
    assert {n: by_name[n] for n in wrong} == {n: reason for n, (_, reason) in wrong.items()}
    assert by_name[name(1)] == "same picture with another text"
    assert [len(row["texts"]) for row in found(photos)] == [2, 0]
    assert len(list((photos.parent / "set" / "images").rglob("*.*"))) == 2


def test_photos_turned_by_their_camera_are_stored_as_seen(photos: Path) -> None:
    picture, places = photo(TEXTS[0], 0)
    exif = Image.Exif()
    exif[0x0112] = 8  # shown turned by 90 degrees
    picture.rotate(-90, expand=True).save(photos / "images" / "t.jpg", exif=exif, quality=95)
    texts = [{"text": t, "quad": q} for t, q in zip(TEXTS[0], places, strict=True)]
    labels_jsonl(photos, [*own_rows()[1:], {"image": "images/t.jpg", "texts": texts}])
    assert prepare(photos) == 0
    (row,) = (row for row in found(photos) if row["source"] == "images/t.jpg")
    with Image.open(photos.parent / "set" / row["image"]) as stored:
        assert stored.size == picture.size and stored.format == "JPEG"
        assert stored.getexif().get(0x0112, 1) == 1


def test_the_folder_is_trained_on(photos: Path) -> None:
    labels_jsonl(photos)
    assert prepare(photos, "--charset", "auto", "--split", "75/25/0") == 0
    folder = photos.parent / "set"
    collection = Photos()
    for part in find_parts([folder], 1)[0]:
        collection.add(part)
    assert len(collection) == 3
    inputs, targets = PhotoBatches(collection, load_config(CONFIG)).batch(0)
    assert inputs["image"].dtype == np.uint8 and targets["score"][..., 0].max() == 1


def test_photos_with_a_text_without_a_place_are_not_trained_on(
    photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = own_rows()[:3]
    rows[0]["texts"].append({"text": "ANYWHERE", "quad": None})
    labels_jsonl(photos, [{**row, "split": "train"} for row in rows])
    collection, lines = Photos(), LineImages(CHARSETS["ascii"], 512)
    for part in find_parts([photos], 1)[0]:
        collection.add(part)
        lines.add(part)
    assert len(collection) == 2 and "1 photos have a text without a place" in caplog.text
    assert lines.texts == [t for texts in TEXTS for t in texts]


def test_corrections_of_a_station_become_a_labeled_folder(tmp_path: Path) -> None:
    with Reader(threads=1) as reader, History(tmp_path / "h.db", pictures="all") as history:
        for number, texts in enumerate(TEXTS[:3]):
            picture = np.array(photo(texts, number)[0])
            record = history.add(judge(Job("any"), reader.read(picture)), picture)
            history.correct(record, "\n".join([*texts, "IS MISSING"] if number == 2 else texts))
        exported = tmp_path / "exported"
        assert write_labels(history, exported, [1, 2, 3]) == 3
    assert prepare(exported, "--split", "50/50/0") == 0
    assert [[t["text"] for t in row["texts"]] for row in found(exported)] == TEXTS[:2]
    assert statuses(exported)[-1] == ("IS MISSING", "photo with a text without a place")


BAD = [
    ("labels.jsonl", '{"image": "a.png", "texts": [{"text": "x", "quad": [[1, 2]]}]}', "four"),
    ("labels.jsonl", '{"image": "a.png", "texts": 7}', "damaged"),
    ("Label.txt", 'images/img_0.png\t[{"points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]', "no photo"),
    ("gt_img_0.txt", "1,2,3,4,5,6,7,8,LOT\nLOT 7", "line 2 is no box with a text"),
    ("labels.csv", "image,text\nimages/img_0.png,LOT 7", "lines prepare"),
]


@pytest.mark.parametrize(("file", "content", "message"), BAD)
def test_bad_labels_are_refused_and_nothing_is_written(
    photos: Path, capsys: pytest.CaptureFixture[str], file: str, content: str, message: str
) -> None:
    (photos / file).write_text(content, encoding="utf-8")
    assert prepare(photos) == 1
    assert message in capsys.readouterr().err
    assert {path.name for path in photos.parent.iterdir()} == {photos.name}


def test_a_file_of_boxes_that_fits_two_pictures_is_refused(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    icdar_2015(photos)
    (photos / "more").mkdir()
    (photos / "more" / "img_0.jpg").write_bytes((photos / name(0)).read_bytes())
    assert prepare(photos) == 1
    assert "fits several pictures: images/img_0.png, more/img_0.jpg" in capsys.readouterr().err
