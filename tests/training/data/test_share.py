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
from training.data.share import Share, row_generator


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
