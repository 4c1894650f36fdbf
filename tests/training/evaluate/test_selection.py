"""Selection of line images by the loss of their labels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sdk.charset import Charset
from training.cli import main
from training.data.shards import list_shards, read_encoded, write_encoded
from training.evaluate.selection import Selection, label_losses
from training.runs.folder import load_run

WEIGHTS = Path(__file__).parents[3] / "training" / "weights" / "line"


@pytest.fixture(scope="module")
def network():
    run = load_run(WEIGHTS)
    return run.models["line"], Charset(run.config.model.charset)


@pytest.fixture(scope="module")
def lines(line_shards):
    return list(read_encoded(list_shards(line_shards)[0]))


def test_a_wrong_label_and_an_unreadable_picture_lose_more_than_a_right_label(network, lines):
    picture, record = lines[0]
    wrong = {**record, "text": "8" if record["text"] != "8" else "W"}
    unknown = {**record, "text": "Ω"}
    empty = {**record, "text": ""}
    right, other, *impossible = label_losses(
        *network, 512, [(picture, r) for r in (record, wrong, unknown, empty)]
    )
    assert 0 <= right < 1 < other
    assert np.isinf(impossible).all()
    assert np.isinf(label_losses(*network, 16, lines[:1])).all()


def test_surely_read_lines_are_kept_in_part_and_hard_ones_left_out():
    losses = np.repeat([0.001, 0.5, 3.0, 4.0, np.inf], 1000)
    selection = Selection(most=3.0, sure=0.02, keep=0.35)
    kept = selection.keeps(losses, np.random.default_rng(0)).reshape(5, 1000).mean(1)
    assert kept[0] == pytest.approx(0.35, abs=0.05)
    assert kept[1:].tolist() == [1, 1, 0, 0]


def test_shards_of_kept_lines_hold_the_same_pictures(line_shards, lines, tmp_path, capsys):
    shards = tmp_path / "shards"
    shards.mkdir()
    mislabeled = [(p, {**r, "text": "wrong"} if n % 2 else r) for n, (p, r) in enumerate(lines)]
    write_encoded(shards / "shard-00000.tar", mislabeled)
    command = ["select", str(shards), "--run", str(WEIGHTS), "--out", str(tmp_path / "kept")]
    assert main([*command, "--keep-sure", "1", "--most-loss", "2"]) == 0
    done = json.loads(capsys.readouterr().out)
    kept = list(read_encoded(tmp_path / "kept" / "shard-00000.tar"))
    assert done == {
        "lines": len(lines), "too_hard": len(lines) - len(kept), "kept": len(kept)
    }  # fmt: skip
    assert len(lines) // 4 < len(kept) <= len(lines) // 2
    assert all(sample in mislabeled[::2] for sample in kept)
    # a second start does nothing
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--sure-loss", "4"], "--sure-loss is 4.0"),
        (["--out", "lines"], "Choose another --out"),
        (["--run", "lines"], "is not a run"),
    ],
)
def test_wrong_use_is_told(line_shards, tmp_path, monkeypatch, capsys, changed, message):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(line_shards, "lines")
    command = ["select", "lines", "--run", str(WEIGHTS), "--out", "kept", *changed]
    assert main(command) == 1
    assert message in capsys.readouterr().err


def test_photos_are_refused(photo_shards, tmp_path, capsys):
    command = ["select", str(photo_shards), "--run", str(WEIGHTS), "--out", str(tmp_path / "kept")]
    assert main(command) == 1
    assert "is a photo" in capsys.readouterr().err
