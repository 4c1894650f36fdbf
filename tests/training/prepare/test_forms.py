"""Labels in all forms give the same labeled folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.training.conftest import draw_text
from tests.training.prepare.conftest import TEXTS, prepare, rows

NAMES = [f"images/{i}.png" for i in range(len(TEXTS))]


def write_csv(path: Path, header: list[str], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(zip(NAMES, TEXTS, strict=True))


def csv_with_header(folder: Path) -> None:
    write_csv(folder / "labels.csv", ["image_path", "plate_text"])


def csv_with_semicolons_and_mark(folder: Path) -> None:
    write_csv(folder / "labels.csv", ["Filename", "Words"], ";")
    path = folder / "labels.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n"))


def csv_without_header(folder: Path) -> None:
    write_csv(folder / "labels.csv", [])
    path = folder / "labels.csv"
    path.write_text(path.read_text().lstrip())


def tsv(folder: Path) -> None:
    write_csv(folder / "labels.tsv", ["image", "text"], "\t")


def paddle(folder: Path) -> None:
    text = "".join(f"{a}\t{b}\n" for a, b in zip(NAMES, TEXTS, strict=True))
    (folder / "rec_gt_train.txt").write_text(text, encoding="utf-8")


def icdar(folder: Path) -> None:
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in TEXTS]
    lines = [f'{name}, "{text}"\r\n' for name, text in zip(NAMES, quoted, strict=True)]
    (folder / "gt.txt").write_bytes(b"\xef\xbb\xbf" + "".join(lines).encode())


def path_and_label(folder: Path) -> None:
    lines = [
        f"{name.replace('/', chr(92))} {text}" for name, text in zip(NAMES, TEXTS, strict=True)
    ]
    (folder / "labels.txt").write_text("\n".join(lines), encoding="utf-8")


def numbered(folder: Path) -> None:
    (folder / "labels.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")


def jsonl(folder: Path) -> None:
    lines = [{"image": name, "text": text} for name, text in zip(NAMES, TEXTS, strict=True)]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def json_map(folder: Path) -> None:
    (folder / "labels.json").write_text(json.dumps(dict(zip(NAMES, TEXTS, strict=True))))


FORMS = [
    csv_with_header,
    csv_with_semicolons_and_mark,
    csv_without_header,
    tsv,
    paddle,
    icdar,
    path_and_label,
    numbered,
    jsonl,
    json_map,
]


@pytest.mark.parametrize("write", FORMS, ids=lambda form: form.__name__)
def test_a_file_of_labels_is_found_and_read(pictures, write):
    write(pictures)
    assert prepare(pictures, "--split", "50/25/25") == 0
    found = rows(pictures)
    assert [row["text"] for row in found] == TEXTS
    for i, row in enumerate(found):
        copy = pictures.parent / "set" / str(row["image"])
        assert copy.read_bytes() == (pictures / NAMES[i]).read_bytes()


def rename(folder: Path, names: list[str]) -> list[str]:
    """Move the pictures to other names and return the texts in the order of the names."""
    texts = dict(zip(names, TEXTS, strict=True))
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / NAMES[i]).rename(folder / name)
    return [texts[name] for name in sorted(names)]


def test_mjsynth_has_the_words_in_its_names(pictures):
    words = ["SEVEN", "eight", "Nine", "TEN", "e", "twelve", "ab", "cd"]
    names = [f"2/{i % 2}/{i}_{word}_{100 + i}.png" for i, word in enumerate(words)]
    rename(pictures, names)
    assert prepare(pictures, "--split", "50/25/25") == 0
    assert sorted(str(row["text"]) for row in rows(pictures)) == sorted(words)
    (pictures / "annotation_train.txt").write_text(
        "".join(f"./{name} {100 + i}\n" for i, name in enumerate(names[:4]))
    )
    out = pictures.parent / "list"
    from training.__main__ import main

    assert main(["lines", "prepare", str(pictures), "--out", str(out), "--split", "50/25/25"]) == 0
    listed = (out / "labels.jsonl").read_text().splitlines()
    assert [json.loads(row)["text"] for row in listed] == words[:4]


def test_the_text_may_be_a_part_of_the_name(pictures):
    rename(
        pictures,
        [
            f"cam1-{text.split()[0].strip('#')}-{i}.png".replace(":", "")
            for i, text in enumerate(TEXTS)
        ],
    )
    assert prepare(pictures, "--from-filename", "cam1-(.*)-\\d", "--split", "50/25/25") == 0
    assert {"LOT", "EXP", "1230", "5"} <= {row["text"] for row in rows(pictures)}


def test_folders_may_be_named_by_their_text_and_split(pictures):
    splits = ["train", "train", "valid", "test", "train", "train", "train", "test"]
    names = [f"{split}/{10 + i}/{i}.png" for i, split in enumerate(splits)]
    rename(pictures, names)
    assert prepare(pictures) == 0
    found = {row["text"]: row["split"] for row in rows(pictures)}
    assert found["12"] == "validation" and found["13"] == "test" and found["10"] == "train"
    assert len(found) == len(TEXTS)


def coco_photo(folder: Path, texts: list[str]) -> list[list[int]]:
    """Write a photo with lines below each other and return their boxes."""
    photo = Image.new("RGB", (400, 40 * len(texts)), (235, 230, 220))
    boxes = []
    for i, text in enumerate(texts):
        line = draw_text(text, 24)
        photo.paste(Image.fromarray(line), (20, 40 * i + 8))
        boxes.append([20, 40 * i + 8, line.shape[1], 24])
    folder.mkdir(parents=True, exist_ok=True)
    photo.save(folder / "a.jpg")
    return boxes


def test_boxes_with_texts_become_lines_of_one_source(tmp_path):
    folder = tmp_path / "own"
    for name, texts in (("train", ["LOT 12", "EXP 13"]), ("valid", ["LOT 99", "OK 5"])):
        boxes = coco_photo(folder / name, texts)
        document = {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 400, "height": 80}],
            "categories": [{"id": 3, "name": "text"}],
            "annotations": [
                {
                    "id": i,
                    "image_id": 1,
                    "category_id": 3,
                    "bbox": box,
                    "attributes": {"text": text},
                }
                for i, (box, text) in enumerate(zip(boxes, texts, strict=True))
            ],
        }
        (folder / name / "_annotations.coco.json").write_text(json.dumps(document))
    assert prepare(folder) == 0
    found = rows(folder)
    assert [row["text"] for row in found] == ["LOT 12", "EXP 13", "LOT 99", "OK 5"]
    assert [row["split"] for row in found] == ["train", "train", "validation", "validation"]
    assert len({row["source"] for row in found}) == 2
    with Image.open(tmp_path / "set" / str(found[0]["image"])) as crop:
        assert crop.height == 32 and 2 < crop.width / crop.height < 6


def test_boxes_of_characters_are_the_text_of_their_picture(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    plates = ["B42", "C77", "A10", "B9"]
    images, annotations = [], []
    for n, plate in enumerate(plates):
        Image.fromarray(draw_text(plate, 30)).save(folder / f"{n}.jpg")
        images.append({"id": n, "file_name": f"{n}.jpg"})
        for i in reversed(range(len(plate))):  # in any order
            box = {"image_id": n, "category_id": ord(plate[i]), "bbox": [16 * i, 3, 14, 24]}
            annotations.append(box)
    categories = [{"id": ord(c), "name": c} for c in "ABC0123456789"]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "_annotations.coco.json").write_text(json.dumps(document))
    assert prepare(folder, "--split", "50/25/25") == 0
    assert [row["text"] for row in rows(folder)] == plates
