import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from sdk.charset import Charset
from sdk.model.bundle import Bundle, read_manifest, write_manifest
from tests import tiny
from training.__main__ import main
from training.data.shards import shard_path, write_shard
from training.errors import TrainingError
from training.evaluate.confidence.labeled_logits import (
    LabeledLogits,
    judged_characters,
    reliability,
)
from training.evaluate.confidence.temperature import fit_temperature, same_share

CHARSET = Charset("AB")


def spoken(rng, length, temperature):
    """A line whose characters are drawn from the distribution its logits give at a temperature."""
    logits = np.full((2 * length, 3), -9.0, np.float32)
    logits[1::2, 0] = 9.0
    margins = rng.uniform(0.2, 5, length)
    logits[::2, 1] = np.where(rng.random(length) < 0.5, margins, 0)
    logits[::2, 2] = np.where(logits[::2, 1] > 0, 0, margins)
    read = logits[::2, 1:].argmax(1)
    right = rng.random(length) < 1 / (1 + np.exp(-margins / temperature))
    label = "".join("AB"[c if ok else 1 - c] for c, ok in zip(read, right, strict=True))
    return LabeledLogits(logits, label)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_true_temperature_is_found(true):
    rng = np.random.default_rng(0)
    lines = [spoken(rng, int(rng.integers(1, 5)), true) for _ in range(1500)]
    found = fit_temperature(lines, CHARSET)
    assert found == pytest.approx(true, rel=0.15)
    named = reliability(lines, CHARSET, found)
    assert named["characters"].ece() < 0.04 and named["lines"].ece() < 0.05
    if true == 2.5:
        assert reliability(lines, CHARSET, 1.0)["lines"].ece() > 0.15


def test_bounds_mean_less_at_a_higher_temperature():
    rng = np.random.default_rng(0)
    lines = [spoken(rng, 3, 1.0) for _ in range(300)]
    before, after, equal = same_share(lines, CHARSET, 1.0, 2.0, 0.8)
    assert after > before and equal < 0.8
    kept = reliability(lines, CHARSET, 2.0)["mean"].below(equal)
    assert kept == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize(
    ("label", "text", "part", "judged"),
    [
        ("AB1", "A-81", False, [(0.1, True), (0.3, False), (0.4, True)]),
        ("b1", "XB1Y", True, [(0.2, True), (0.3, True)]),
        ("", "--", False, []),
    ],
)
def test_characters_that_count(label, text, part, judged):
    sure = [0.1, 0.2, 0.3, 0.4][: len(text)]
    assert judged_characters(label, text, sure, part) == judged


@pytest.mark.parametrize("label", ["Maß 7", "MASS 7"])
def test_characters_that_are_two_in_capitals_count_twice(label):
    judged = judged_characters(label, "Maß-7", (0.9, 0.8, 0.7, 0.6, 0.5))
    assert judged == [(0.9, True), (0.8, True), (0.7, True), (0.7, True), (0.5, True)]


@pytest.mark.parametrize("wrong", [0, 80])
def test_too_little_to_fit_on(wrong):
    sure = np.array([[-9, 9, -9]], np.float32)
    lines = [LabeledLogits(sure, "A")] * 10 if not wrong else [LabeledLogits(sure, "B")] * wrong
    with pytest.raises(TrainingError, match="right and some wrong"):
        fit_temperature(lines, CHARSET)


@pytest.fixture
def shards(tmp_path):
    """Line images and photos in the tiny script; every fifth label is wrong."""
    rng = np.random.default_rng(0)

    def named(i):
        text = "".join(rng.choice(list("ABCDEFGH"), 3))
        return text, text if i % 5 else "HH"

    line_folder, photo_folder = tmp_path / "lines", tmp_path / "photos"
    samples = []
    for i in range(120):
        drawn, label = named(i)
        samples.append((i, tiny.draw_line(drawn), {"text": label}))
    line_folder.mkdir()
    write_shard(shard_path(line_folder, 0), samples)
    samples = []
    for i in range(60):
        texts, lines = [], []
        for row in range(2):
            drawn, label = named(2 * i + row)
            y, w = 8 + 64 * row, tiny.draw_line(drawn).shape[1]
            lines.append((drawn, 8, y))
            quad = [[8, y], [8 + w, y], [8 + w, y + 32], [8, y + 32]]
            texts.append({"text": label, "quad": quad, "ignore": False})
        photo = tiny.draw_photo(lines, (128, 128))
        samples.append((i, photo, {"width": 128, "height": 128, "texts": texts}))
    photo_folder.mkdir()
    write_shard(shard_path(photo_folder, 0), samples)
    return line_folder, photo_folder


def test_calibration_of_a_bundle(own_bundle, shards, capsys):
    lines, photos = map(str, shards)
    manifest = own_bundle / "model.json"
    before = manifest.read_bytes()
    command = ["calibrate", "--bundle", str(own_bundle), "--data", lines, photos]
    assert main([*command, "--dry-run"]) == 0
    assert manifest.read_bytes() == before
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "line: temperature 1 ->" in printed and "recognizer: temperature 1 ->" in printed
    assert "min_confidence" in printed
    stored = Bundle.open(own_bundle).manifest
    # a fifth of the labels is wrong, which a sure network cannot know
    assert stored.temperature["line"] > 1.2 and stored.temperature["recognizer"] > 1.2
    assert "lines: offset" in printed and stored.line_probability is not None
    old = json.loads(before)
    new = json.loads(manifest.read_bytes())
    assert old.pop("calibration") != new.pop("calibration") and old == new
    assert [p.name for p in own_bundle.glob(".*.tmp")] == []


def measured(bundle, data, out):
    """Return (mean probability, share of right lines) of all readings."""
    command = [
        "reliability",
        "--bundle",
        str(bundle),
        "--data",
        str(data),
        "--only",
        "lines,photos",
    ]
    assert main([*command, "--out", str(out)]) == 0
    rows = csv.DictReader((out / "reliability.csv").read_text().splitlines())
    (row,) = [x for x in rows if (x["set"], x["of"]) == ("all", "lines")]
    return float(row["confidence"]), float(row["right"])


def test_the_probability_of_lines_alone(own_bundle, shards, tmp_path, capsys):
    manifest = replace(Bundle.open(own_bundle).manifest, temperature={"line": 1.1})
    write_manifest(own_bundle, manifest)
    said, right = measured(own_bundle, tmp_path, tmp_path / "before")
    assert said > right + 0.1
    command = ["calibrate", "--bundle", str(own_bundle), "--data", *map(str, shards)]
    assert main([*command, "--keep-temperature"]) == 0
    assert "temperature" not in capsys.readouterr().out
    stored = Bundle.open(own_bundle).manifest
    assert replace(stored, line_probability=None) == manifest
    said, right = measured(own_bundle, tmp_path, tmp_path / "after")
    assert said == pytest.approx(right, abs=0.05)


def test_settings_of_a_lent_detector_are_not_stored(own_bundle, shards):
    manifest = Bundle.open(own_bundle).manifest
    lines = {v: {"line": graphs["line"]} for v, graphs in manifest.variants.items()}
    manifest = replace(manifest, variants=lines, detector_of="default")
    write_manifest(own_bundle, manifest)
    command = ["calibrate", "--bundle", str(own_bundle), "--data", str(shards[0])]
    assert main([*command, "--keep-temperature"]) == 0
    stored = read_manifest(own_bundle)[1]
    assert stored.line_probability is not None
    assert replace(stored, line_probability=None) == manifest
    assert Bundle.open(own_bundle).manifest.decode != manifest.decode


def test_data_that_cannot_be_used(own_bundle, shards, tmp_path, capsys):
    command = ["calibrate", "--bundle", str(own_bundle), "--data"]
    assert main([*command, str(tmp_path / "none")]) == 1
    assert "No shards in" in capsys.readouterr().err
    assert main([*command, str(shards[0]), "--limit", "20"]) == 1
    assert "Give more held-back shards" in capsys.readouterr().err
    assert main(["calibrate", "--bundle", str(tmp_path), "--data", str(shards[0])]) == 1
    assert "Cannot open the model bundle" in capsys.readouterr().err


def test_reliability_of_sets(tiny_bundle, shards, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["reliability", "--bundle", str(tiny_bundle), "--data", str(tmp_path)]
    assert main([*command, "--only", "lines,photos", "--out", str(out)]) == 0
    assert "lines: 120 lines" in capsys.readouterr().out
    rows = (out / "reliability.csv").read_text().splitlines()
    assert rows[0].startswith("set,of,count,right,confidence,ece")
    counts = {tuple(r.split(",")[:2]): int(r.split(",")[2]) for r in rows[1:]}
    assert counts["lines", "lines"] == counts["photos", "lines"] == 120
    assert counts["all", "lines"] == 240
    assert cv2.imread(str(out / "all.png")).std() > 5
    assert (out / "bins.csv").read_text().count("\n") > 20
