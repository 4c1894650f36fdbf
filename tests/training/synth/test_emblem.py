"""Shapes beside text that are no text."""

from __future__ import annotations

from random import Random

import numpy as np

from training.synth.emblem import delimiters
from training.synth.fonts import default_library
from training.synth.scenes import plate, stamped
from training.synth.vin import is_vin, sample_vin


def test_only_numbers_of_vehicles_have_the_form() -> None:
    texts = [sample_vin(Random(seed)) for seed in range(60)]
    assert 40 < sum(map(is_vin, texts)) < 60  # some stand behind "VIN" or between asterisks
    assert not any(map(is_vin, ["", "LOT 26A417", "W0L2RBBK9HL85399", "WOL2RBBK9HL853997"]))


def test_delimiters_are_the_same_shape_on_both_sides() -> None:
    for seed in range(20):
        (before, paint), (behind, other) = delimiters(
            np.random.default_rng(seed), (100.0, 10.0, 400.0, 42.0)
        )
        assert before[:, 0].max() <= 100
        assert behind[:, 0].min() >= 400
        assert before[:, 1].min() > 8
        assert before[:, 1].max() <= 44
        patches = [np.full((24, 24, 3), 128.0, np.float32) for _ in range(2)]
        for patch, draw in zip(patches, (paint, other), strict=True):
            draw(patch, np.ones((24, 24), np.float32))
        assert np.array_equal(patches[0], patches[1])
        drawn = (np.abs(patches[0] - 128).max(-1) > 1).mean()
        assert drawn > 0.02 or np.ptp(patches[0]) < 200  # a color may be that of the ground


def test_some_numbers_of_vehicles_have_delimiters() -> None:
    blocks = [stamped(np.random.default_rng(s), default_library(), 32.0) for s in range(150)]
    marked = [len(block.surfaces) for block in blocks]
    vins = [sum(is_vin(line.ink.text) for line in block.lines) for block in blocks]
    assert sum(vins) > 10
    assert all(n <= 2 * v for n, v in zip(marked, vins, strict=True))
    assert 0.2 < sum(marked) / 2 / sum(vins) < 0.7


def test_stacked_letters_stand_beside_the_characters_of_some_plates() -> None:
    found = 0
    for seed in range(120):
        block = plate(np.random.default_rng(seed), default_library(), 32.0)
        stacked = [x for x in block.lines if not x.main and len(x.ink.text) == 1]
        if not stacked:
            continue
        found += 1
        main, *others = (x for x in block.lines if x.main)
        assert not others  # a plate in two rows has none
        assert 2 <= len(stacked) <= 3
        left, top, right, bottom = main.box()
        boxes = np.array([x.box() for x in stacked])
        assert (boxes[:, 2] < left).all() or (boxes[:, 0] > right).all()
        assert (boxes[1:, 1] > boxes[:-1, 3]).all()  # one below the other
        assert boxes[:, 1].min() > top - 1
        assert boxes[:, 3].max() < bottom + 1
    assert 4 <= found <= 30
