"""Slices of a set, which the nodes of a cluster read, are the set."""

import json
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from training.data.labels import has_text
from training.data.sets import cut, opened, read_samples


@pytest.fixture
def labeled(tmp_path):
    """Fifty line images, every seventh without a text."""
    rows = []
    for number in range(50):
        Image.new("RGB", (40 + number, 32), "white").save(tmp_path / f"{number}.png")
        rows.append({"image": f"{number}.png", "text": "" if number % 7 == 3 else str(number)})
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.mark.parametrize("limit", [None, 1, 40, 43, 44])
@pytest.mark.parametrize("kind", ["shards", "labeled"])
def test_slices_together_are_the_set(kind, limit, line_shards, labeled):
    folder = line_shards if kind == "shards" else labeled
    slices = list(cut(folder, "", limit, 20))
    found = [sample for piece in slices for sample in piece.records() if has_text(sample[1])]
    wanted = list(islice(read_samples(folder), limit))
    assert [record for _, record in found] == [record for _, record in wanted]
    for (picture, _), (image, _) in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(opened(picture), image)
    if kind == "shards":  # of 40
        assert len(slices) == {None: 3, 1: 1, 40: 1, 43: 2, 44: 2}[limit]
