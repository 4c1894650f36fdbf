"""A training on the nodes of a cluster: a lost node, another version, wrong addresses."""

import csv
import json
import shutil
import sys
import threading
import time

import pytest

from sdk import __version__
from tests.hosts import ROOT, permitted_hosts, running_hosts
from tests.training.conftest import LINE_TOML

pytest.importorskip("ray", reason="the extra cluster is not installed: no Ray")
pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def fit(line_shards, tmp_path):
    """The command line of a training, but for its workers."""
    config = tmp_path / "line.toml"
    text = LINE_TOML.replace("every = 5", "every = 1").replace("[32, 64, 96]", "[64]")
    config.write_text(f"{text}checkpoint_minutes = 0.0001\n")
    line = [sys.executable, "-m", "training", "fit", "--config", str(config)]
    return [*line, "--data", str(line_shards), "--run", str(tmp_path / "run"), "--workers"]


def test_a_training_outlives_the_node_of_its_chief(fit, tmp_path):
    (tmp_path / "hosts").mkdir()
    with running_hosts(tmp_path / "hosts", (0, 1, 1)) as hosts:
        line = [*fit, f"ray://{hosts.address}", "--world", "1:2", "--max-failures", "1"]
        running = hosts.run(*line, environment={"KERAS_BACKEND": "torch"})
        said = []
        reader = threading.Thread(target=lambda: said.extend(running.stderr))
        reader.start()
        until = time.monotonic() + 600
        while not (tmp_path / "run" / "checkpoint.npz").exists() and time.monotonic() < until:
            time.sleep(0.1)
        if hosts.namespaces:
            hosts.cut(1)
        else:
            hosts.kill(1)
        code = running.wait(timeout=600)
        reader.join()
    text = "".join(said)
    assert code == 0, text[-3000:]
    assert "2 processes train on" in text and "1 processes train on" in text
    assert "A process of 2 was lost" in text and "resuming at step" in text
    with (tmp_path / "run" / "train.csv").open(newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 41))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["processes"] == 1


def test_a_node_that_differs_is_refused(fit, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "sdk", other / "sdk", ignore=shutil.ignore_patterns("__pycache__"))
    init = other / "sdk" / "__init__.py"
    init.write_text(init.read_text().replace(f'"{__version__}"', '"0.0.1"'))
    (other / "training").symlink_to(ROOT / "training")
    (tmp_path / "hosts").mkdir()
    with permitted_hosts(tmp_path / "hosts", 2) as hosts:
        hosts.start(0, 0)
        hosts.wait(0)
        hosts.start(1, 1, {"PYTHONPATH": str(other)})
        hosts.wait(1)
        # nodes import from the folder of the command before they import from their own
        line = ["sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *fit]
        running = hosts.run(*line, f"ray://{hosts.address}", environment={"KERAS_BACKEND": "torch"})
        said = running.communicate(timeout=300)[1]
    assert running.returncode == 1, said
    assert f"differs from the head: fots-lite is '0.0.1', not '{__version__}'" in said
    assert not (tmp_path / "run").exists()
