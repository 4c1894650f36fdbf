"""The mean of runs."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.__main__ import main as convert
from sdk.model.bundle import DEFAULT_BUNDLE
from tests.training.conftest import LINE_TOML
from training.__main__ import main
from training.config import load_config
from training.errors import TrainingError
from training.loop.trainer import Trainer
from training.models.batch_norm import BatchNormalization
from training.models.build import build_models, copy_by_name, layers_by_name
from training.models.folding import convolution_before, fold
from training.runs.average import average_runs
from training.runs.folder import load_run, save_weights

CONFIGS = Path(__file__).resolve().parents[3] / "training" / "configs"


@pytest.fixture(scope="module")
def runs(line_shards, tmp_path_factory):
    """Two runs that began alike and saw other batches."""
    folder = tmp_path_factory.mktemp("runs")
    begin = folder / "begin"
    Trainer(LINE_TOML, [line_shards], begin).run(stop_step=10)
    for seed in (1, 2):
        text = f"{LINE_TOML.replace('steps = 40', 'steps = 10')}\nseed = {seed}"
        Trainer(f"{text}\ninit_from = '{begin}'", [line_shards], folder / f"seed{seed}").run()
    return [folder / "seed1", folder / "seed2"]


def folded(run):
    """What the convolutions of a run compute, by layer."""
    layers = layers_by_name(load_run(run).models["line"])
    norms = [x for x in layers.values() if isinstance(x, BatchNormalization)]
    return {x.name: fold(layers[convolution_before(x)], x) for x in norms}


def test_mean_of_two_runs(runs, tmp_path):
    out = tmp_path / "mean"
    assert main(["average", *map(str, runs), "--out", str(out)]) == 0
    first, second, mean = map(folded, (*runs, out))
    assert mean
    for name, one in mean.items():
        assert not np.allclose(first[name].kernel, second[name].kernel)
        for field in ("kernel", "bias", "mean", "variance"):
            half = (getattr(first[name], field) + getattr(second[name], field)) / 2
            assert np.allclose(half, getattr(one, field), atol=1e-6)
    heads = [layers_by_name(load_run(x).models["line"])["rec_logits"] for x in (*runs, out)]
    heads = [head.get_weights() for head in heads]
    for a, b, c in zip(*heads, strict=True):
        assert np.allclose(0.5 * (a + b), c, atol=1e-6)
    record = json.loads((out / "run.json").read_text())
    assert (record["kind"], record["step"], record["init_from"]) == ("line", 10, "begin")
    assert [source["name"] for source in record["mean_of"]] == ["seed1", "seed2"]


def test_a_run_that_is_given_twice_counts_twice(runs, tmp_path):
    average_runs([runs[0], *runs], tmp_path / "mean")
    first, second, mean = (
        layers_by_name(load_run(x).models["line"])["rec_logits"].get_weights()
        for x in (*runs, tmp_path / "mean")
    )
    for a, b, c in zip(first, second, mean, strict=True):
        assert np.allclose((2 * a + b) / 3, c, atol=1e-6)
    record = json.loads((tmp_path / "mean" / "run.json").read_text())
    assert [source["name"] for source in record["mean_of"]] == ["seed1", "seed1", "seed2"]


def test_runs_that_compute_the_same_have_that_mean(runs, tmp_path):
    """A channel's scale may lie in its kernel or its normalization."""
    other = tmp_path / "other"
    shutil.copytree(runs[0], other)
    run = load_run(runs[0])
    built = build_models(run.config.model)
    copy_by_name(run.models["line"], built.trained)
    layers = layers_by_name(built.trained)
    for norm in [x for x in layers.values() if isinstance(x, BatchNormalization)]:
        conv = layers[convolution_before(norm)]
        conv.kernel.assign(3 * conv.kernel)
        norm.moving_mean.assign(3 * norm.moving_mean)
        norm.moving_variance.assign(9 * norm.moving_variance)
    save_weights(built, built.trained.get_weights(), other / "ema.weights.h5")
    average_runs([runs[0], other], tmp_path / "mean")
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 96, 3), np.uint8)
    one, same, mean = (
        np.asarray(load_run(x).models["line"](image)) for x in (runs[0], other, tmp_path / "mean")
    )
    scale = np.abs(one).max()
    assert np.abs(same - one).max() < 0.02 * scale
    assert np.abs(mean - one).max() < 0.02 * scale


def test_mean_with_the_bundle_that_a_run_began_from(runs, tmp_path):
    bundle = tmp_path / "bundle"
    sizes = ["--line-width", "64", "--calibration-count", "4", "--count", "2", "--min-same", "0"]
    made = ["export", str(runs[0]), "--precision", "fp32", "--out", str(bundle), "--name", "base"]
    assert convert([*made, *sizes, "--version", "7"]) == 0
    average_runs([bundle, runs[1]], tmp_path / "mean")
    average_runs(runs, tmp_path / "same")
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 96, 3), np.uint8)
    mean, same = (
        np.asarray(load_run(tmp_path / x).models["line"](image)) for x in ("mean", "same")
    )
    assert np.abs(mean - same).max() < 0.02 * np.abs(same).max()
    record = json.loads((tmp_path / "mean" / "run.json").read_text())
    assert record["kind"] == "line"
    assert record["mean_of"][1] == {"bundle": "base", "version": "7"}
    with pytest.raises(TrainingError, match="bundles only"):
        average_runs([bundle, bundle], tmp_path / "none")


def test_mean_with_the_packaged_model_keeps_the_characters_of_the_run(tmp_path):
    own = "0123456789 ABCDEFé"
    config = replace(load_config(CONFIGS / "own.toml").model, charset=own)
    built = build_models(config)
    run = tmp_path / "run"
    run.mkdir()
    text = (CONFIGS / "own.toml").read_text().replace('"line"', f'"line"\ncharset = "{own}"', 1)
    (run / "config.toml").write_text(text)
    save_weights(built, built.trained.get_weights(), run / "ema.weights.h5")
    average_runs([run, "default"], tmp_path / "mean")
    kernels = [
        load_run(x).models["line"].get_layer("rec_logits").get_weights()[0]
        for x in (run, tmp_path / "mean")
    ]
    new, old = own.index("é") + 1, own.index("7") + 1
    np.testing.assert_allclose(kernels[1][..., new], kernels[0][..., new], atol=1e-6)
    assert np.abs(kernels[1][..., old] - kernels[0][..., old]).max() > 0.01


def test_a_bundle_of_another_network_is_refused(runs, tmp_path):
    with pytest.raises(TrainingError, match="another line network"):
        average_runs([DEFAULT_BUNDLE, runs[0]], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_an_average_is_a_start_like_any_run(runs, line_shards, tmp_path):
    average_runs(runs, tmp_path / "mean")
    text = f"{LINE_TOML}\ninit_from = '{tmp_path / 'mean'}'"
    Trainer(text, [line_shards], tmp_path / "next").run(stop_step=1)


def test_an_average_is_not_resumed_nor_lost(runs, line_shards, tmp_path):
    average_runs(runs, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TrainingError, match="no checkpoint to resume from"):
        Trainer(LINE_TOML, [line_shards], tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_runs_that_have_no_mean_are_refused(runs, line_shards, tmp_path):
    with pytest.raises(TrainingError, match="at least two"):
        average_runs(runs[:1], tmp_path / "mean")
    with pytest.raises(TrainingError, match="already holds a run"):
        average_runs(runs, runs[0])
    other = tmp_path / "other"
    Trainer(LINE_TOML.replace("blocks = 1", "blocks = 2"), [line_shards], other).run(stop_step=1)
    with pytest.raises(TrainingError, match=r"other holds another network"):
        average_runs([runs[0], other], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
