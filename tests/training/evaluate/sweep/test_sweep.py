import json

import numpy as np
import pytest

from sdk import Reader
from sdk.engine import open_engine
from sdk.model.bundle import Bundle
from sdk.model.settings import DecodeSettings
from tests import tiny
from training.__main__ import main
from training.data.shards import list_shards, read_shard, shard_path, write_shard
from training.evaluate.sweep.cached_engine import CachedEngine
from training.evaluate.sweep.crops import crop_lines
from training.evaluate.sweep.plan import GROUPS, TIE, Group, Measured, choose
from training.evaluate.sweep.run import sweep

BOUND = "recognize.min_confidence"


def measured(ms, score, nms_iou):
    return Measured({"detect.nms_iou": nms_iou}, ms, {"e2e": score})


def entry(text, x, y, ignore=False):
    w = tiny.draw_line(text).shape[1]
    quad = [[x, y], [x + w, y], [x + w, y + 32], [x, y + 32]]
    return {"text": text, "quad": quad, "ignore": ignore}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos in the tiny script; the faint second line of each is not labeled: it is no text."""
    folder = tmp_path_factory.mktemp("photos")
    samples = []
    for i, text in enumerate(["ABC", "DEF", "GHA", "BCD"]):
        photo = tiny.draw_photo([(text, 8, 8)], (128, 128))
        faint = tiny.draw_line("AB").astype(float)
        faint[..., 1:] = 127.5 + 0.52 * (faint[..., 1:] - 127.5)
        photo[80:112, 16 : 16 + faint.shape[1]] = faint
        record = {"width": 128, "height": 128, "texts": [entry(text, 8, 8)]}
        samples.append((i, photo, record))
    write_shard(shard_path(folder, 0), samples)
    return folder


@pytest.mark.parametrize(
    ("tried", "chosen"),
    [
        (
            [
                measured(10, 0.5, 0.2),
                measured(10, 0.6, 0.4),
            ],
            1,
        ),
        (
            [
                measured(20, 0.6, 0.2),
                measured(10, 0.6 - TIE / 2, 0.4),
            ],
            1,
        ),
        (
            [
                measured(20, 0.6, 0.2),
                measured(10, 0.6 - 2 * TIE, 0.4),
            ],
            0,
        ),
        (
            [
                measured(10, 0.6, 0.2),
                measured(9.9, 0.6, 0.4),
            ],
            0,
        ),
        # as good and as cheap: what is in use stays
        (
            [
                measured(10, 0.6, 0.2),
                measured(10.2, 0.6, 0.1),
            ],
            1,
        ),
        (
            [
                measured(10, 0.6, 0.2),
                measured(20, 0.6, 0.1),
            ],
            0,
        ),
    ],
)
def test_the_rule(tried, chosen):
    assert choose(tried, "e2e", DecodeSettings()) is tried[chosen]


def test_all_that_is_tried_is_legal():
    for group in GROUPS:
        for changes in group.tried:
            DecodeSettings().changed(changes)
        assert len({json.dumps(c) for c in group.tried}) == len(group.tried)


def test_engines_remember(tiny_bundle):
    bundle = Bundle.open(tiny_bundle)
    engine = CachedEngine(open_engine(bundle.graph("line")))
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (1, 32, 64, 3), np.uint8)
    first = engine.run({"strip": image})
    assert engine.saved_s == 0
    assert engine.run({"strip": image.copy()}) is first
    saved = engine.saved_s
    other = engine.run({"strip": 255 - image})
    assert (other["logits"] != first["logits"]).any()
    # the same bytes in another shape are another input
    assert engine.run({"strip": image[:, :, :32]})["logits"].shape != first["logits"].shape
    assert engine.saved_s == saved
    engine.clear()
    again = engine.run({"strip": image})
    assert again is not first and (again["logits"] == first["logits"]).all()


def test_sweeps_read_as_the_reader_does(own_bundle, photos):
    """What a setting measures is what a reader with that setting gives."""
    group = Group("x", "photos", "H", ({BOUND: 0.0}, {BOUND: 0.9}))
    lines = []
    settings = sweep(own_bundle, photos, [group], progress=lines.append)
    rows = [row.split() for row in lines[0].splitlines()[2:4]]
    assert [row[0] for row in rows] == [f"{BOUND}=0", f"{BOUND}=0.9"]
    for row in rows:
        bound = float(row[0].partition("=")[2])
        with Reader(own_bundle) as reader:
            read = [
                reader.read(image, min_confidence=bound)
                for image, _ in read_shard(list_shards(photos)[0])
            ]
        assert float(row[1]) == pytest.approx(4 / sum(map(len, read)), abs=1e-4)
        assert float(row[2]) == 1
    assert float(rows[0][1]) < 1 and float(rows[1][1]) == 1
    assert settings.get(BOUND) == 0.9


def test_the_choice_is_stored_on_request(own_bundle, photos, capsys, caplog):
    before = (own_bundle / "model.json").read_bytes()
    command = ["sweep", "--bundle", str(own_bundle), "--data", str(photos)]
    # one group by its name in earlier versions
    command += ["--only", "least confidence,cuts of a crop"]
    assert main(command) == 0
    assert f"chosen: {BOUND}=" in capsys.readouterr().out
    assert "is called 'candidate views of a crop' now" in caplog.text
    assert (own_bundle / "model.json").read_bytes() == before
    assert main([*command, "--write"]) == 0
    printed = capsys.readouterr().out
    assert "on crops:" in printed and "Written to" in printed
    stored = Bundle.open(own_bundle).manifest.decode
    assert stored.get(BOUND) > 0
    now = tiny.SETTINGS
    swept = (BOUND, "retry.crop.confidence", "retry.vote.lead")
    assert stored.changed({path: now.get(path) for path in swept}) == now


def test_data_that_cannot_be_used(own_bundle, line_shards, tmp_path, capsys):
    command = ["sweep", "--bundle", str(own_bundle), "--data"]
    assert main([*command, str(line_shards)]) == 1
    assert "is not a photo" in capsys.readouterr().err
    photo = np.zeros((64, 64, 3), np.uint8)
    ignored = {"width": 64, "height": 64, "texts": [entry("A", 8, 8, ignore=True)]}
    write_shard(shard_path(tmp_path, 0), [(0, photo, ignored)])
    assert main([*command, str(tmp_path), "--only", "suppression"]) == 1
    assert "hold no labeled line" in capsys.readouterr().err
    assert main([*command, str(tmp_path), "--only", "speed"]) == 1
    assert "Unknown groups speed; known are score threshold" in capsys.readouterr().err


def test_crops_hold_their_line():
    photo = tiny.draw_photo([("ABC", 40, 48)], (128, 160))
    label = entry("ABC", 40, 48)
    sizes, turned = set(), 0
    for seed in range(30):
        labels = [label, {**label, "ignore": True}, {**label, "quad": None}]
        ((crop, text),) = crop_lines(photo, labels, np.random.default_rng(seed))
        assert text == "ABC" and crop.dtype == np.uint8
        red = crop[..., 0] > 200
        # all of the line is there, whatever the margin
        assert red.sum() == pytest.approx(32 * tiny.draw_line("ABC").shape[1], rel=0.1)
        sizes.add(crop.shape)
        middle = crop[crop.shape[0] // 2].astype(int)
        line = tiny.draw_line("ABC")[0].astype(int)
        start = (crop.shape[1] - len(line)) // 2
        crop = middle[start : start + len(line)]
        turned += np.abs(crop[::-1] - line).mean() < np.abs(crop - line).mean()
    assert len(sizes) > 10 and 0 < turned < 10
