"""The mean of runs."""

import json

import numpy as np
import pytest

from training.__main__ import main
from training.errors import TrainingError
from training.fit import Fit
from training.run import load_run
from training.soup import average_runs

from .conftest import LINE_TOML


@pytest.fixture(scope="module")
def runs(strip_shards, tmp_path_factory):
    """Two runs that began alike and saw other batches."""
    folder = tmp_path_factory.mktemp("runs")
    begin = folder / "begin"
    Fit(LINE_TOML, strip_shards, begin).run(stop_step=10)
    for seed in (1, 2):
        text = f"{LINE_TOML.replace('steps = 40', 'steps = 10')}\nseed = {seed}"
        Fit(f"{text}\ninit_from = '{begin}'", strip_shards, folder / f"seed{seed}").run()
    return [folder / "seed1", folder / "seed2"]


def test_mean_of_two_runs(runs, tmp_path):
    out = tmp_path / "mean"
    assert main(["average", *map(str, runs), "--out", str(out)]) == 0
    first, second, mean = (load_run(r).models["line"].get_weights() for r in (*runs, out))
    assert any(not np.allclose(a, b) for a, b in zip(first, second, strict=True))
    for a, b, c in zip(first, second, mean, strict=True):
        assert np.allclose(0.5 * (a + b), c, atol=1e-6)
    record = json.loads((out / "run.json").read_text())
    assert (record["kind"], record["step"], record["init_from"]) == ("line", 10, "begin")
    assert [source["name"] for source in record["mean_of"]] == ["seed1", "seed2"]


def test_a_mean_is_begun_from_like_any_run(runs, strip_shards, tmp_path):
    average_runs(runs, tmp_path / "mean")
    text = f"{LINE_TOML}\ninit_from = '{tmp_path / 'mean'}'"
    Fit(text, strip_shards, tmp_path / "next").run(stop_step=1)


def test_a_mean_is_not_gone_on_with_nor_lost(runs, strip_shards, tmp_path):
    average_runs(runs, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TrainingError, match="no checkpoint to go on from"):
        Fit(LINE_TOML, strip_shards, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_runs_that_have_no_mean_are_refused(runs, strip_shards, tmp_path):
    with pytest.raises(TrainingError, match="at least two"):
        average_runs(runs[:1], tmp_path / "mean")
    with pytest.raises(TrainingError, match="already holds a run"):
        average_runs(runs, runs[0])
    other = tmp_path / "other"
    Fit(LINE_TOML.replace("blocks = 1", "blocks = 2"), strip_shards, other).run(stop_step=1)
    with pytest.raises(TrainingError, match=r"other holds another network"):
        average_runs([runs[0], other], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
