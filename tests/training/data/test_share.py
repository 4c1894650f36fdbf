"""A batch is the same for any number of processes that make it."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from sdk.charset import Charset
from tests.training.conftest import FOTS_TOML, LINE_TOML
from training.config import parse_config
from training.data.dataset import Part
from training.data.line_images import LineBatches, LineImages
from training.data.photos import PhotoBatches, Photos
from training.data.shards import ShardError
from training.data.share import Share, row_generator
from training.errors import TrainingError


def line_batches(folder, **changes):
    config = parse_config(LINE_TOML)
    images = LineImages(Charset(config.model.charset), config.data.buckets[-1])
    images.add(Part(folder, "shard-00001.tar"))
    return LineBatches(images, replace(config.data, **changes), 3)


def photo_batches(folder):
    config = parse_config(FOTS_TOML.replace("batch = 2", "batch = 4"))
    photos = Photos()
    photos.add(Part(folder, "shard-00001.tar"))
    return PhotoBatches(photos, config)


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("kind", ["line", "photo"])
def test_shares_together_are_the_batch(line_shards, photo_shards, kind, world):
    batches = (
        line_batches(line_shards, columns=256) if kind == "line" else photo_batches(photo_shards)
    )
    for step in (0, 7):
        whole = batches.batch(step)
        shares = [batches.batch(step, Share(rank, world)) for rank in range(world)]
        together = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *shares)
        keras.tree.map_structure(np.testing.assert_array_equal, together, whole)


def test_rows_and_steps_differ(line_shards):
    batches = line_batches(line_shards)
    first = batches.batch(0)[0]["strip"]
    assert len({row.tobytes() for row in first}) > len(first) // 2
    draws = {row_generator(1, step, row).integers(1 << 40) for step in (0, 1) for row in (0, 1)}
    shared = {np.random.default_rng((1, step)).integers(1 << 40) for step in (0, 1)}
    assert len(draws | shared) == 6


def test_batch_sizes_are_multiples(line_shards):
    batches = line_batches(line_shards, columns=480, batch_multiple=4)
    assert all(size % 4 == 0 for size in batches.batch_sizes)
    assert {len(batches.batch(step)[1]) for step in range(6)} <= set(batches.batch_sizes)
    assert line_batches(line_shards, columns=480).batch_sizes != batches.batch_sizes


def divided(folder, share):
    config = parse_config(LINE_TOML)
    images = LineImages(Charset(config.model.charset), config.data.buckets[-1], share)
    images.add(Part(folder, "shard-00001.tar"))
    return images, LineBatches(images, config.data, 3)


def test_divided_line_images_make_one_batch(line_shards):
    """Each process draws from its samples; all agree on the width and on the longest label."""
    shares = [Share(rank, 2) for rank in range(2)]
    both = [divided(line_shards, share) for share in shares]
    with pytest.raises(ShardError, match="not a readable picture"):
        both[0][0].picture(1)  # of the other process
    labels = {tuple(both[0][0].labels(i)) for i in range(0, 40, 2)}
    others = {tuple(both[0][0].labels(i)) for i in range(1, 40, 2)} - labels
    assert labels and others
    for step in range(20):
        (first, target), (second, other) = (
            batches.batch(step, share) for (_, batches), share in zip(both, shares, strict=True)
        )
        assert first["strip"].shape == second["strip"].shape and target.shape == other.shape
        drawn = {tuple(row[3 : 3 + row[1]]) for row in target}
        assert drawn <= labels and not drawn & others


def test_divided_photos_are_shared_out(photo_shards):
    parts = [Photos(Share(rank, 2)) for rank in range(2)]
    for photos in parts:
        photos.add(Part(photo_shards, "shard-00001.tar"))
    assert [len(photos) for photos in parts] == [3, 3]
    assert {photos.samples for photos in parts} == {6}
    pictures = [photos.whole(i).image.tobytes() for photos in parts for i in range(3)]
    assert len(set(pictures)) == 6


def test_too_few_samples_to_divide(line_shards):
    with pytest.raises(TrainingError, match="cannot be divided among 400 processes"):
        divided(line_shards, Share(0, 400))
