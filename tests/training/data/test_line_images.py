import json
import os

import numpy as np
import pytest
from PIL import Image

from sdk.charset import Charset
from tests.training.conftest import LINE_TOML, draw_text
from training.config import parse_config
from training.data.augment import change_tones, place_line, soften
from training.data.dataset import Part, find_parts, prefetched, weight_of
from training.data.labels import LABELS
from training.data.line_images import (
    LineBatches,
    LineImages,
    columns_needed,
    pack_labels,
    validation_frames,
)
from training.data.sets import read_samples
from training.data.shards import ShardError, list_shards, shard_path, write_shard
from training.errors import TrainingError

CONFIG = parse_config(LINE_TOML)
CHARSET = Charset(CONFIG.model.charset)


@pytest.fixture
def images(line_shards):
    found = LineImages(CHARSET, CONFIG.data.buckets[-1])
    for path in list_shards(line_shards):
        found.add(Part(line_shards, path.name))
    return found


def test_columns_needed():
    assert columns_needed(CHARSET.encode("1223")) == 5
    assert columns_needed(CHARSET.encode("")) == 0


def test_pack_labels():
    packed = pack_labels([9, 0], [np.array([4, 5], np.int32), np.zeros(0, np.int32)])
    assert packed.shape == (2, 19)
    assert packed[0, :6].tolist() == [9, 2, 0, 4, 5, 0]
    assert not packed[1].any()
    assert pack_labels([9], [np.array([4], np.int32)], [True])[0, :4].tolist() == [9, 1, 1, 4]


def test_batches_follow_from_seed_and_step(images):
    one = LineBatches(images, CONFIG.data, 5)
    two = LineBatches(images, CONFIG.data, 5)
    for step in (3, 4):
        a, b = one.batch(step), two.batch(step)
        assert (a[0]["strip"] == b[0]["strip"]).all() and (a[1] == b[1]).all()
    other, again = one.batch(3), LineBatches(images, CONFIG.data, 6).batch(3)
    assert other[0]["strip"].shape != again[0]["strip"].shape or (other[1] != again[1]).any()


def test_labels_fit_the_columns(images):
    batches = LineBatches(images, CONFIG.data, 0)
    for step in range(12):
        inputs, target = batches.batch(step)
        count, height, width, channels = inputs["strip"].shape
        assert (height, channels) == (32, 3) and width in CONFIG.data.buckets
        assert count == batches.batch_size(width) == len(target)
        for row in target:
            labels = row[3 : 3 + row[1]]
            assert len(labels) and columns_needed(labels) <= row[0] <= width // 4


def test_curriculum_starts_narrow(images):
    data = parse_config(
        LINE_TOML.replace("[data]", "[data]\ncurriculum_steps = 5\ncurriculum_width = 32")
    ).data
    batches = LineBatches(images, data, 0)
    assert all(batches.batch(s)[0]["strip"].shape[2] == 32 for s in range(5))
    assert {batches.batch(s)[0]["strip"].shape[2] for s in range(5, 25)} > {32}


def test_a_stretched_line_is_in_frames_of_its_widths(tmp_path):
    """A line 40 px wide, stretched to 20 to 80 px: frames of 32, 64 and 96 px hold a share."""
    write_shard(shard_path(tmp_path, 0), [(0, picture(), {"text": "12"})])
    found = LineImages(CHARSET, 96)
    found.add(Part(tmp_path, "shard-00000.tar"))
    text = LINE_TOML.replace("[data]", "[data]\nstretch = [0.5, 2.0]\nmax_batch = 1")
    batches = LineBatches(found, parse_config(text).data, 0)
    widths = []
    for step in range(600):
        inputs, target = batches.batch(step)
        frame, width = inputs["strip"].shape[2], 4 * target[0, 0]
        assert frame - 32 <= width <= frame
        widths.append(frame)
    shares = [widths.count(frame) / len(widths) for frame in (32, 64, 96)]
    np.testing.assert_allclose(shares, [12 / 60, 32 / 60, 16 / 60], atol=0.06)


def test_validation_frames_hold_each_line_image_once(images):
    groups = validation_frames(images, CONFIG.data, 1000)
    texts = [t for _, _, group in groups for t in group]
    assert sorted(texts) == sorted(images.texts)
    for pictures, columns, group in groups:
        assert len(pictures) == len(columns) == len(group)


def test_place_line_pads_with_the_last_column():
    image = np.random.default_rng(0).integers(0, 256, (32, 40, 3)).astype(np.uint8)
    placed = place_line(image, np.random.default_rng(0), 40, 64, still=True)
    assert (placed[:, :40] == image).all()
    assert (placed[:, 40:] == image[:, 39:]).all()


def test_changes_keep_shape_and_type():
    image = np.random.default_rng(0).integers(0, 256, (32, 50, 3)).astype(np.uint8)
    for seed in range(30):
        rng = np.random.default_rng(seed)
        changed = soften(change_tones(place_line(image, rng, 45, 64, still=False), rng), rng)
        assert changed.shape == (32, 64, 3) and changed.dtype == np.uint8


def test_pale_text_on_white_stays_visible():
    image = np.full((32, 60, 3), 250, np.uint8)
    image[12:20, 8:52] = 225
    for seed in range(200):
        changed = change_tones(image, np.random.default_rng(seed)).astype(int)
        assert np.abs(changed[16, 30] - changed[4, 30]).max() >= 5


def test_colors_take_any_hue():
    image = np.full((32, 60, 3), (150, 110, 100), np.uint8)
    greatest = [
        int(change_tones(image, np.random.default_rng(seed))[0, 0].argmax()) for seed in range(300)
    ]
    assert all(greatest.count(channel) > 15 for channel in range(3))


def picture(height=32, width=40):
    return np.zeros((height, width, 3), np.uint8)


def test_an_own_label_outside_the_charset_is_refused(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "0.png")
    row = {"image": "0.png", "text": "é", "split": "train"}
    (tmp_path / "labels.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(TrainingError, match="not in the charset"):
        LineImages(CHARSET, 96).add(Part(tmp_path, "labels.jsonl"))


def test_generated_lines_outside_the_charset_are_left_out(tmp_path):
    lines = [(i, picture(), {"text": text}) for i, text in enumerate(("é", "AB", "Aé"))]
    write_shard(shard_path(tmp_path, 0), lines)
    found = LineImages(CHARSET, 96)
    found.add(Part(tmp_path, "shard-00000.tar"))
    assert found.texts == ["AB"] and found.foreign == 2


def test_lines_are_cut_from_labeled_photos(tmp_path):
    photo = np.zeros((100, 200, 3), np.uint8)
    photo[40:60, 20:80] = (250, 0, 0)
    quad = [[20, 40], [80, 40], [80, 60], [20, 60]]
    low = [[20, 90], [80, 90], [80, 95], [20, 95]]
    texts = [
        {"text": "AB", "quad": quad, "ignore": False},
        {"text": "BA", "quad": quad, "ignore": True},
        {"text": "é", "quad": quad, "ignore": False},
        {"text": "A", "quad": low, "ignore": False},
    ]
    write_shard(shard_path(tmp_path, 0), [(0, photo, {"texts": texts})])
    found = LineImages(CHARSET, 192)
    found.add(Part(tmp_path, "shard-00000.tar"))
    assert found.texts == ["AB"] and found.foreign == 1
    line = found.picture(0)
    assert line.shape[0] == 32 and 75 < line.shape[1] < 85
    assert line[16, 40, 0] > 240 and line[0, 0].max() < 60


def test_nothing_of_a_damaged_shard_is_trained_on(tmp_path):
    path = shard_path(tmp_path, 0)
    write_shard(path, [(i, picture(), {"text": "12"}) for i in range(9)])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    found = LineImages(CHARSET, 96)
    with pytest.raises(ShardError, match="SHA-256 differs"):
        found.add(Part(tmp_path, path.name))
    assert len(found) == 0


def test_line_images_that_cannot_be_read_are_skipped(tmp_path):
    samples = [
        (0, picture(width=40), {"text": "1" * 40}),
        (1, picture(width=400), {"text": "1"}),
        (2, picture(), {"text": "12"}),
    ]
    write_shard(shard_path(tmp_path, 0), samples)
    found = LineImages(CHARSET, 96)
    found.add(Part(tmp_path, "shard-00000.tar"))
    assert (len(found), found.skipped) == (1, 2)


def test_shards_are_held_back(line_shards, tmp_path):
    training, held_back = find_parts([line_shards], 1)
    assert [p.file for p in held_back] == ["shard-00000.tar"] and len(training) == 2
    with pytest.raises(ShardError, match="No shards"):
        find_parts([tmp_path], 1)


def test_samples_are_held_back_where_shards_are_few(line_shards):
    sides = find_parts([line_shards], 3)
    assert [len(side) for side in sides] == [3, 3]
    training, held_back = (
        [record["image"] for part in side for _, record in part.samples()] for side in sides
    )
    assert len(training) == 108 and len(held_back) == 12
    assert sides[0][0].name == f"{line_shards.name}/shard-00000.tar (divided)"


def test_rows_name_their_split(tmp_path):
    splits = ["train", "validation", "test", "train"]
    rows = [{"text": str(i), "split": split} for i, split in enumerate(splits)]
    folder = labeled_folder(tmp_path / "own", rows)
    sides = [side[0] for side in find_parts([folder], 1)]
    assert [[r["text"] for _, r in side.samples()] for side in sides] == [["0", "3"], ["1"]]
    read = {s: [r["text"] for _, r in read_samples(folder, s)] for s in ("", "validation", "all")}
    assert read == {"": ["2"], "validation": ["1"], "all": ["0", "1", "2", "3"]}


def test_an_empty_or_unknown_split_is_told(tmp_path):
    folder = labeled_folder(tmp_path / "own", [{"text": "1", "split": "train"}])
    with pytest.raises(TrainingError, match="no row of the split test"):
        list(read_samples(folder))
    other = labeled_folder(tmp_path / "other", [{"text": "1", "split": "night"}])
    with pytest.raises(TrainingError, match="the split is 'night'"):
        list(read_samples(other))


def test_pictures_without_a_text_are_told_and_not_used(tmp_path, caplog):
    folder = labeled_folder(tmp_path / "own", [{"text": "1"}, {"text": "2"}, {"text": "3"}])
    rows = [json.loads(row) for row in (folder / LABELS).read_text().splitlines()]
    rows[0]["text"], rows[1]["text"] = None, ""
    (folder / LABELS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [r["text"] for _, r in read_samples(folder)] == ["3"]
    assert "2 pictures have no text and are not counted" in caplog.text
    found = LineImages(CHARSET, 96)
    for side in find_parts([folder], 1):
        found.add(side[0])
    assert (found.texts, found.unlabeled) == (["3"], 2)


def labeled_folder(folder, rows):
    """Write pictures of digits, 20 px high, with their labels."""
    (folder / "images").mkdir(parents=True)
    with (folder / LABELS).open("w") as file:
        for i, row in enumerate(rows):
            name = f"images/{row.pop('name', f'photo{i}_0')}.png"
            Image.fromarray(draw_text(row["text"], 20)).save(folder / name)
            file.write(json.dumps({"image": name, **row}) + "\n")
    return folder


def test_a_tenth_of_a_labeled_folder_validates_and_lines_of_a_photo_stay_together(tmp_path):
    rows = [{"name": f"photo{i // 3}_{i % 3}", "text": str(i)} for i in range(300)]
    folder = labeled_folder(tmp_path / "meters", rows)
    sides = [parts[0] for parts in find_parts([folder], 1)]
    texts = [[record["text"] for _, record in part.samples()] for part in sides]
    assert sorted(map(int, texts[0] + texts[1])) == list(range(300))
    assert 12 <= len(texts[1]) <= 60
    photos = [{int(text) // 3 for text in side} for side in texts]
    assert not photos[0] & photos[1]


def test_labeled_lines_may_have_any_height(tmp_path):
    folder = labeled_folder(tmp_path / "meters", [{"text": "ab", "case": False}, {"text": "12"}])
    found = LineImages(Charset("12abAB"), 96)
    for side in find_parts([folder], 1):
        found.add(side[0])
    assert sorted(zip(found.texts, found.case_blind, strict=True)) == [("12", False), ("AB", True)]
    for i in range(2):
        assert found.picture(i).shape == (32, found.widths[i], 3)


def test_folders_are_drawn_by_weight(line_shards, tmp_path):
    folder = labeled_folder(tmp_path / "own", [{"text": "AA"}] * 30)
    found = LineImages(CHARSET, 96)
    parts, _ = find_parts([line_shards, folder], 1)
    weights = {"own": 0.25 * 60 / 24}
    for part in parts:
        found.add(part, weight_of(part, weights))
    own = found.weights[np.array(found.texts) == "AA"]
    share = own.sum() / found.weights.sum()
    batches = LineBatches(found, CONFIG.data, 0)
    labels = [row[3] for step in range(60) for row in batches.batch(step)[1]]
    seen = np.mean(np.array(labels) == CHARSET.encode("A")[0])
    assert seen == pytest.approx(share, abs=0.08) and 0.05 < share < 0.5


def test_folders_of_one_name_are_refused(line_shards, tmp_path):
    other = labeled_folder(tmp_path / line_shards.name, [{"text": "1"}])
    with pytest.raises(TrainingError, match="Two folders of data are called"):
        find_parts([line_shards, other], 1)


def test_a_labeled_picture_that_is_missing_is_named(tmp_path):
    folder = labeled_folder(tmp_path / "own", [{"text": "1"}])
    next((folder / "images").iterdir()).unlink()
    with pytest.raises(TrainingError, match=r"photo0_0\.png"):
        for side in find_parts([folder], 1):
            list(side[0].samples())


def test_a_pipe_is_no_labeled_picture(tmp_path):
    folder = labeled_folder(tmp_path / "own", [{"text": "1"}])
    picture = next((folder / "images").iterdir())
    picture.unlink()
    os.mkfifo(picture)
    with pytest.raises(TrainingError, match=r"photo0_0\.png: it is not a regular file"):
        for side in find_parts([folder], 1):
            list(side[0].samples())


def test_prefetched_keeps_order_and_raises():
    assert list(prefetched(lambda step: step * step, 3, 9, 3, 4)) == [9, 16, 25, 36, 49, 64]
    with pytest.raises(ZeroDivisionError):
        list(prefetched(lambda step: 1 // (4 - step), 0, 9, 2, 3))
