import csv
import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sdk.files
from sdk.errors import SdkError
from tests.training.conftest import FOTS_TOML, LINE_TOML, draw_text
from training.__main__ import main
from training.data.shards import ShardError
from training.errors import TrainingError
from training.loop.trainer import Trainer
from training.models.build import build_models
from training.runs.checkpoint import read_checkpoint
from training.runs.folder import AVERAGED, BEST, load_run


def losses(folder, column="loss"):
    with (folder / "train.csv").open(newline="") as file:
        return [float(row[column]) for row in csv.DictReader(file)]


def test_line_loss_falls_and_the_run_comes_back(line_shards, tmp_path):
    folder = tmp_path / "run"
    (tmp_path / "line.toml").write_text(LINE_TOML)
    arguments = ["--config", str(tmp_path / "line.toml"), "--data", str(line_shards)]
    assert main(["fit", *arguments, "--run", str(folder)]) == 0
    seen = losses(folder)
    assert len(seen) == 8 and seen[-1] < 0.6 * seen[0]
    for name in ("config.toml", "curves.png", "last.weights.h5", "validation.csv"):
        assert (folder / name).stat().st_size > 0
    assert list(folder.glob("events.out.tfevents*"))
    assert not list(folder.glob(".*"))
    record = json.loads((folder / "run.json").read_text())
    assert record["step"] == 40 and 0 <= record["validation"]["exact"] <= 1

    run = load_run(folder)
    saved = read_checkpoint(folder / "checkpoint.npz")
    for have, want in zip(run.models["line"].get_weights(), saved.average, strict=True):
        np.testing.assert_array_equal(have, want)
    last = build_models(run.config.model).trained
    last.load_weights(folder / "last.weights.h5")
    assert any((a != b).any() for a, b in zip(last.get_weights(), saved.average, strict=True))


def test_resumed_equals_uninterrupted(line_shards, tmp_path):
    text = LINE_TOML.replace("steps = 40", "steps = 12")
    whole = Trainer(text, [line_shards], tmp_path / "whole")
    whole.run()
    Trainer(text, [line_shards], tmp_path / "parts").run(stop_step=5)
    rest = Trainer(text, [line_shards], tmp_path / "parts")
    assert rest.step == 5
    rest.run()
    one, two = (read_checkpoint(tmp_path / n / "checkpoint.npz") for n in ("whole", "parts"))
    assert one.state["step"] == two.state["step"] == 12
    for group in ("weights", "average", "optimizer"):
        for a, b in zip(getattr(one, group), getattr(two, group), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_fots_losses_fall(photo_shards, tmp_path):
    folder = tmp_path / "run"
    measures = Trainer(FOTS_TOML, [photo_shards], folder).run()
    assert measures["lines"] > 0
    for column in ("score_loss", "geometry_loss", "logits_loss"):
        seen = losses(folder, column)
        assert seen[-1] < seen[0]
    assert set(load_run(folder).models) == {"detector", "recognizer"}


def test_the_detector_alone_trains_on_photos(photo_shards, tmp_path):
    text = FOTS_TOML.replace('"fots"', '"detector"')
    text = text.replace("neck = [", "separable = true\nneck = [")
    measures = Trainer(text, [photo_shards], tmp_path).run()
    assert set(measures) == {"precision", "recall", "hmean", "upright"}
    for column in ("score_loss", "geometry_loss"):
        seen = losses(tmp_path, column)
        assert seen[-1] < seen[0]
    assert set(load_run(tmp_path).models) == {"detector"}


def test_a_labeled_folder_trains_beside_shards_and_is_measured_alone(line_shards, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    with (folder / "labels.jsonl").open("w") as file:
        for i in range(40):
            Image.fromarray(draw_text(str(i), 24)).save(folder / f"{i}.png")
            file.write(json.dumps({"image": f"{i}.png", "text": str(i), "source": str(i)}) + "\n")
    text = LINE_TOML.replace("steps = 40", "steps = 2")
    text = text.replace("[train]", "[data.weights]\nown = 3\n[train]")
    run = tmp_path / "run"
    measures = Trainer(text, [line_shards, folder], run).run(stop_step=1)
    assert {"exact", "exact_own"} <= set(measures) and 0 < measures["lines_own"] < 20
    record = json.loads((run / "run.json").read_text())
    assert record["data"] == {line_shards.name: 1.0, "own": 3.0}
    assert Trainer(text, [line_shards, folder], run).step == 1
    with pytest.raises(TrainingError, match="data lack own/"):
        Trainer(text, [line_shards], run)
    with pytest.raises(TrainingError, match=r"data\.weights names 'own'"):
        Trainer(text, [line_shards], tmp_path / "other")


def test_packed_weights_are_a_run_to_begin_from(line_shards, tmp_path):
    text = LINE_TOML.replace("steps = 40", "steps = 2")
    command = ["fit", "--data", str(line_shards), "--minutes", "1"]
    Trainer(text, [line_shards], tmp_path / "a", command=command).run()
    packed = tmp_path / "packed"
    assert main(["pack", str(tmp_path / "a"), "--out", str(packed)]) == 0
    assert sorted(p.name for p in packed.iterdir()) == ["config.toml", "ema.weights.h5", "run.json"]
    record = json.loads((packed / "run.json").read_text())
    assert record["command"] == ["fit", "--data", line_shards.name, "--minutes", "1"]
    whole, half = (load_run(tmp_path / n).models["line"].get_weights() for n in ("a", "packed"))
    for have, want in zip(half, whole, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-3, atol=1e-6)
    assert any((have != want).any() for have, want in zip(half, whole, strict=True))
    Trainer(f"{text}\ninit_from = '{packed}'", [line_shards], tmp_path / "b").run(stop_step=1)
    assert main(["pack", str(tmp_path), "--out", str(tmp_path / "c")]) == 1


def test_init_from_takes_layers_over(line_shards, tmp_path):
    text = LINE_TOML.replace("steps = 40", "steps = 2")
    Trainer(text, [line_shards], tmp_path / "a").run()
    second = Trainer(f"{text}\ninit_from = '{tmp_path / 'a'}'", [line_shards], tmp_path / "b")
    first = read_checkpoint(tmp_path / "a" / "checkpoint.npz").average
    for have, want in zip(second.model.get_weights(), first, strict=True):
        np.testing.assert_array_equal(have, want)


def test_full_disk_leaves_the_checkpoint_and_resumes(line_shards, tmp_path, monkeypatch):
    text = LINE_TOML.replace("steps = 40", "steps = 6")
    Trainer(text, [line_shards], tmp_path).run(stop_step=3)
    before = (tmp_path / "checkpoint.npz").read_bytes()

    def no_space(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    going_on = Trainer(text, [line_shards], tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(sdk.files.os, "fsync", no_space)
        with pytest.raises(TrainingError, match=r"No space left.*make room") as caught:
            going_on.save()
    assert "checkpoint.npz" in str(caught.value)
    assert (tmp_path / "checkpoint.npz").read_bytes() == before
    assert not list(tmp_path.glob(".*"))
    resumed = Trainer(text, [line_shards], tmp_path)
    assert resumed.step == 3
    resumed.run()
    assert read_checkpoint(tmp_path / "checkpoint.npz").state["step"] == 6


def test_curves_that_cannot_be_written_end_no_run(line_shards, tmp_path, monkeypatch, caplog):
    def no_space(sources, path):
        raise SdkError(f"Cannot write {path}: No space left on device.")

    monkeypatch.setattr("training.loop.trainer.draw_curves", no_space)
    assert Trainer(LINE_TOML.replace("steps = 40", "steps = 1"), [line_shards], tmp_path).run()
    assert "No space left" in caplog.text


def test_new_shards_are_found(line_shards, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    shards = sorted(line_shards.glob("*.tar"))
    for path in shards[:2]:
        (data / path.name).write_bytes(path.read_bytes())
    text = LINE_TOML.replace("steps = 40", "steps = 4").replace("rescan_steps = 0", "")
    fit = Trainer(f"{text}\nrescan_steps = 2", [data], tmp_path / "run")
    before = fit.task.samples
    (data / shards[2].name).write_bytes(shards[2].read_bytes())
    fit.run()
    assert fit.task.samples == 2 * before
    names = read_checkpoint(tmp_path / "run" / "checkpoint.npz").state["parts"]
    assert names == [f"data/{p.name}" for p in shards[1:]]


def test_a_damaged_new_shard_ends_the_run_but_loses_no_step(line_shards, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(line_shards, data)
    text = LINE_TOML.replace("steps = 40", "steps = 4").replace("rescan_steps = 0", "")
    fit = Trainer(f"{text}\nrescan_steps = 2", [data], tmp_path / "run")
    whole = (data / "shard-00002.tar").read_bytes()
    (data / "shard-00009.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ShardError, match="shard-00009"):
        fit.run()
    assert read_checkpoint(tmp_path / "run" / "checkpoint.npz").state["step"] == 2


def test_late_shard_of_a_lower_number_changes_no_part(line_shards, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    late, held, first = sorted(line_shards.glob("*.tar"))
    for path in (held, first):
        (data / path.name).write_bytes(path.read_bytes())
    text = LINE_TOML.replace("steps = 40", "steps = 4").replace("rescan_steps = 0", "")
    text = f"{text}\nrescan_steps = 2"
    fit = Trainer(text, [data], tmp_path / "run")
    (data / late.name).write_bytes(late.read_bytes())
    fit.run()
    path = tmp_path / "run" / "checkpoint.npz"
    saved = read_checkpoint(path)
    assert saved.state["parts"] == [f"data/{first.name}", f"data/{late.name}"]
    assert saved.state["held_back"] == [f"data/{held.name}"]
    Trainer(text, [data], tmp_path / "run").save()
    assert read_checkpoint(path).state == saved.state
    (data / held.name).unlink()
    with pytest.raises(TrainingError, match=f"data lack data/{held.name}"):
        Trainer(text, [data], tmp_path / "run")


def test_errors_end_in_one_line(line_shards, tmp_path, capsys):
    (tmp_path / "wrong.toml").write_text("[train]\nstep = 3")
    (tmp_path / "line.toml").write_text(LINE_TOML)
    (tmp_path / "jit.toml").write_text(LINE_TOML + "jit = true")
    (tmp_path / "empty").mkdir()
    cases = [
        ("wrong.toml", line_shards, "Unknown key 'step'"),
        ("jit.toml", line_shards, "TensorFlow cannot compile the CTC loss"),
        ("none.toml", line_shards, "Cannot read the configuration"),
        ("line.toml", tmp_path / "empty", "No shards"),
    ]
    for config, data, part in cases:
        arguments = ["--config", str(tmp_path / config), "--data", str(data)]
        assert main(["fit", *arguments, "--run", str(tmp_path / "run")]) == 1
        message = capsys.readouterr().err
        assert part in message and message.count("\n") == 1
    with pytest.raises(TrainingError, match="not a run folder"):
        load_run(tmp_path / "empty")


def test_damaged_checkpoint(line_shards, tmp_path):
    text = LINE_TOML.replace("steps = 40", "steps = 2")
    Trainer(text, [line_shards], tmp_path).run()
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="starts from the weights that the run wrote"):
        Trainer(text, [line_shards], tmp_path)
    begun = f"{text}\ninit_from = '{tmp_path}'"
    Trainer(begun, [line_shards], tmp_path / "next").run(stop_step=1)


def test_a_run_goes_on_with_other_characters(line_run, line_shards, tmp_path):
    own = "9876543210X"
    text = LINE_TOML.replace("0123456789 ABCDEF", own) + f"init_from = '{line_run}'\n"
    run = Trainer(text, [line_shards], tmp_path / "run")
    before = load_run(line_run).models["line"]
    old = before.get_layer("rec_logits").get_weights()
    new = run.model.get_layer("rec_logits").get_weights()
    for digit in "0123456789":
        places = "0123456789 ABCDEF".index(digit) + 1, own.index(digit) + 1
        for have, want in zip(new, old, strict=True):
            np.testing.assert_array_equal(have[..., places[1]], want[..., places[0]])
    names = ("line_stem0_conv", "rec_time0_pw_conv")
    for name in names:
        pair = before.get_layer(name).get_weights(), run.model.get_layer(name).get_weights()
        np.testing.assert_array_equal(*(weights[0] for weights in pair))


def test_the_recurrent_network_learns(line_shards, tmp_path):
    text = LINE_TOML.replace('"line"', '"crnn"').replace("steps = 40", "steps = 20")
    crnn = "[model.crnn]\nwidths = [8, 8, 16, 16, 16, 16, 32]\nhidden = 16\n[model.line]"
    folder = tmp_path / "run"
    run = Trainer(text.replace("[model.line]", crnn), [line_shards], folder)
    run.run()
    seen = losses(folder)
    assert seen[-1] < seen[0]
    model = load_run(folder).models["line"]
    assert model(np.zeros((2, 32, 64, 3), np.uint8)).shape == (2, 1, 16, 18)


def test_a_run_without_improvement_ends_with_its_best_weights(line_shards, tmp_path):
    text = LINE_TOML.replace("steps = 40", "steps = 1000").replace("5e-3", "1e-7")
    folder = tmp_path / "run"
    run = Trainer(f"{text}patience = 2\nvalidate_minutes = 0.0001\n", [line_shards], folder)
    run.run()
    assert run.step < 1000
    best, averaged = ((folder / name).read_bytes() for name in (BEST, AVERAGED))
    assert best == averaged
    record = json.loads((folder / "run.json").read_text())
    assert record["early"]["waited"] == 2 and record["early"]["best_step"] < run.step


RUN = """
import os, sys, keras
assert keras.backend.backend() == os.environ["KERAS_BACKEND"]
from training.loop.trainer import Trainer
for text, data, run in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    Trainer(text, [data], run).run()
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_same_runs_on_another_backend(backend, line_shards, photo_shards, tmp_path):
    pytest.importorskip(backend)
    line = LINE_TOML.replace("steps = 40", "steps = 15").replace("[32, 64, 96]", "[96]")
    fots = FOTS_TOML.replace("steps = 14", "steps = 6").replace("log_every = 5", "log_every = 2")
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            RUN,
            *(line, str(line_shards), str(tmp_path / "line")),
            *(fots, str(photo_shards), str(tmp_path / "fots")),
        ],
        env={"KERAS_BACKEND": backend, "PATH": "/usr/bin:/bin", "JAX_PLATFORMS": "cpu"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    for name in ("line", "fots"):
        seen = losses(tmp_path / name)
        assert seen[-1] < seen[0]
        # what one backend trained, the other loads
        load_run(tmp_path / name)
