import numpy as np
import pytest

from sdk.geometry import area
from sdk.recognize.roi_rotate import roi_rotate
from tests.training.conftest import FOTS_TOML
from training.config import parse_config
from training.data.dataset import Part, find_parts
from training.data.line_images import columns_needed
from training.data.photos import PhotoBatches, Photos
from training.data.shards import list_shards, shard_path, write_shard
from training.errors import TrainingError

CONFIG = parse_config(FOTS_TOML)


@pytest.fixture
def photos(photo_shards):
    found = Photos()
    for path in list_shards(photo_shards):
        found.add(Part(photo_shards, path.name))
    return found


def marked_photos(folder):
    """Write one photo whose line is a bright bar with a dark start, and return it."""
    image = np.full((200, 200, 3), 90, np.uint8)
    image[80:110, 50:150] = 250
    image[80:110, 50:70] = 10
    quad = [[50, 80], [150, 80], [150, 110], [50, 110]]
    record = {"texts": [{"text": "12", "quad": quad, "ignore": False}]}
    write_shard(shard_path(folder, 0), [(0, image, record)])
    photos = Photos()
    photos.add(Part(folder, "shard-00000.tar"))
    return photos


def test_quads_follow_their_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.photos.change_tones", lambda image, rng: image)
    monkeypatch.setattr("training.data.photos.soften", lambda image, rng: image)
    config = parse_config(
        FOTS_TOML.replace("[data]", "[data]\nroi_jitter = 0.0\nquarter_turns = 0.8\n")
    )
    batches = PhotoBatches(marked_photos(tmp_path), config)
    seen = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        crop = batches.crop(rng)
        assert crop.image.shape == (96, 96, 3)
        if not len(crop.quads) or crop.ignored[0]:
            continue
        seen += 1
        affines, widths, labels = batches.lines(crop, rng)
        assert len(labels[0]) == 2 and widths[1] == 0
        # the affines are for the stride-4 map; read the pixels with them
        pixels = affines * 4 + np.array([0, 0, 1.5], np.float32)
        bar = roi_rotate(crop.image.astype(np.float32), pixels, widths, 8, 32)[0, :, :, 0]
        width = widths[0]
        assert bar[2:6, : max(1, round(0.1 * width))].mean() < 60
        assert bar[2:6, round(0.35 * width) : round(0.9 * width)].mean() > 200
    assert seen > 20


def test_batches_fit_together(photos):
    batches = PhotoBatches(photos, CONFIG)
    lines = 0
    for step in range(6):
        inputs, targets = batches.batch(step)
        assert inputs["image"].shape == (2, 96, 96, 3) and inputs["image"].dtype == np.uint8
        assert inputs["affines"].shape == (2, 3, 2, 3) and inputs["widths"].shape == (2, 3)
        assert targets["score"].shape == (2, 24, 24, 2)
        assert targets["geometry"].shape == (2, 24, 24, 7)
        assert len(targets["logits"]) == 6
        assert (targets["logits"][:, 0] == inputs["widths"].reshape(-1)).all()
        for row in targets["logits"]:
            if row[1]:
                lines += 1
                assert columns_needed(row[3 : 3 + row[1]]) <= row[0] <= 32
    assert lines > 3
    again = PhotoBatches(photos, CONFIG).batch(2)
    for name, value in batches.batch(2)[0].items():
        assert (value == again[0][name]).all()


def test_lines_truncated_by_the_edge_are_ignored(photos):
    batches = PhotoBatches(photos, CONFIG)
    rng = np.random.default_rng(0)
    truncated = whole = 0
    for _ in range(30):
        crop = batches.crop(rng)
        outside = (crop.quads < -2).any((1, 2)) | (crop.quads > 98).any((1, 2))
        assert crop.ignored[outside].all()
        assert (area(crop.quads) > 0).all()
        truncated += int(outside.sum())
        whole += int((~crop.ignored).sum())
    assert truncated and whole


def test_line_images_are_no_photos(line_shards):
    with pytest.raises(TrainingError, match="is not a photo"):
        Photos().add(find_parts([line_shards], 0)[0][0])
    with pytest.raises(TrainingError, match="hold no photo"):
        PhotoBatches(Photos(), CONFIG)
