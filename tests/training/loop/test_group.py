"""Two processes train as one does."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.hosts import children, free_port
from tests.training.conftest import LINE_TOML
from training.loop.supervisor import LOST
from training.runs.checkpoint import read_checkpoint

ROOT = Path(__file__).resolve().parents[3]
MINUTES = pytest.mark.skipif(
    find_spec("ray") is None, reason="takes minutes to compile: runs in `make test-cluster`"
)


def environment(backend):
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    return {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    }


def train(backend, world, folder, *kinds):
    """Run the processes of a group to their end; see member.py."""
    coordinator = f"127.0.0.1:{free_port()}"
    line = [sys.executable, "-m", "tests.training.loop.member"]
    running = [
        subprocess.Popen(
            [*line, str(rank), str(world), coordinator, str(folder), *kinds],
            env=environment(backend),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]
    try:
        for process in running:
            said = process.communicate(timeout=1800)[1]
            assert process.returncode == 0, said[-3000:]
    finally:  # the others of a process that failed would wait for it
        for process in running:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def on_torch(line_shards, photo_shards, tmp_path_factory):
    """Return the folder of runs by two processes of PyTorch."""
    folder = tmp_path_factory.mktemp("torch")
    lines = (f"line:4:{line_shards}", f"parted:4:{line_shards}")
    train("torch", 2, folder, "uneven:3:", *lines, f"fots:1:{photo_shards}")
    return folder


def losses(folder):
    with (folder / "train.csv").open(newline="") as file:
        return [[float(row[key]) for key in row if "loss" in key] for row in csv.DictReader(file)]


def assert_as_one(folder, steps):
    alone, together = losses(folder / "alone"), losses(folder / "together")
    assert len(alone) == len(together) == steps
    # one process of PyTorch normalizes by another kernel, which rounds otherwise
    np.testing.assert_allclose(together, alone, rtol=1e-4)
    np.testing.assert_allclose(together[0], alone[0], rtol=2e-6)
    one, two = (read_checkpoint(folder / n / "checkpoint.npz") for n in ("alone", "together"))
    assert one.state == two.state | {"seconds": one.state["seconds"]}
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(b, a, atol=5e-3)
    assert list((folder / "together").glob("validation.csv"))


def test_two_processes_train_as_one(line_shards, tmp_path):
    # the FOTS network takes minutes to compile: see member.py
    train("jax", 2, tmp_path, f"line:3:{line_shards}")
    assert_as_one(tmp_path / "line", 3)


def test_two_processes_of_pytorch_train_as_one(on_torch):
    assert_as_one(on_torch / "line", 4)


def test_the_number_of_processes_of_pytorch_changes_the_order_of_sums_only(
    on_torch, line_shards, photo_shards, tmp_path
):
    train("torch", 1, tmp_path, f"line:4:{line_shards}", f"fots:1:{photo_shards}")
    for kind, steps in (("line", 4), ("fots", 1)):
        runs = [folder / kind / "together" for folder in (tmp_path, on_torch)]
        one, two = map(losses, runs)
        assert len(one) == steps
        np.testing.assert_allclose(two, one, rtol=2e-6)
    # the optimizer's moments after a step of the FOTS network follow from its gradients
    one, two = (read_checkpoint(run / "checkpoint.npz").optimizer for run in runs)
    one, two = (np.concatenate([m.ravel() for m in all_ if m.ndim]) for all_ in (one, two))
    assert np.linalg.norm(two - one) < 1e-3 * np.linalg.norm(one)


def test_a_run_of_pytorch_goes_on_with_another_number_of_processes(on_torch):
    whole = losses(on_torch / "line" / "alone")
    for name, processes in (("alone", 1), ("together", 2)):
        run = on_torch / "parted" / name
        np.testing.assert_allclose(losses(run), whole, rtol=1e-4)
        assert json.loads((run / "run.json").read_text())["processes"] == processes


def test_rows_of_uneven_shares_count_alike(on_torch):
    one, two = (np.load(on_torch / "uneven" / f"{name}.npz") for name in ("alone", "together"))
    for name in one.files:
        np.testing.assert_allclose(two[name], one[name], rtol=2e-5, atol=2e-6, err_msg=name)


@pytest.mark.parametrize(
    ("backend", "rank", "by", "code"),
    [
        ("torch", 1, signal.SIGKILL, -9),
        # stopped: its connections stay open
        ("torch", 1, signal.SIGSTOP, LOST),
        ("torch", 0, signal.SIGSTOP, LOST),
        pytest.param("jax", 1, signal.SIGSTOP, -signal.SIGABRT, marks=MINUTES),
        pytest.param("jax", 0, signal.SIGSTOP, -signal.SIGABRT, marks=MINUTES),
    ],
)
def test_all_start_again_when_a_process_is_lost(line_shards, tmp_path, backend, rank, by, code):
    folder = tmp_path / "run"
    config = tmp_path / "line.toml"
    text = LINE_TOML.replace("every = 5", "every = 1").replace("[32, 64, 96]", "[64]")
    config.write_text(f"{text}checkpoint_minutes = 0.0001\n")
    line = [sys.executable, "-m", "training", "fit", "--config", config, "--data", line_shards]
    line += ["--run", folder, "--workers", "2", "--max-failures", "1", "--port", str(free_port())]
    # the chief finds what it compiled at the first start
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    process = subprocess.Popen(
        line, env=environment(backend) | compiled, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + 1800
        while not (folder / "checkpoint.npz").exists() and time.monotonic() < until:
            time.sleep(0.05)
        (lost,) = [pid for pid in children(process.pid) if f"--rank {rank}" in command(pid)]
        os.kill(lost, by)
        said = process.communicate(timeout=1800)[1]
    finally:
        for pid in [*children(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert process.returncode == 0, said[-3000:]
    assert f"A process of 2 was lost (exit code {code}); failure 1 of 1." in said
    assert "resuming at step" in said
    with (folder / "train.csv").open(newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 41))


def command(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
