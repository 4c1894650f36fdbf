"""Two processes train as one does."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.hosts import free_port
from training.runs.checkpoint import read_checkpoint

pytest.importorskip("jax", reason="several processes train on JAX, which is not installed")

ROOT = Path(__file__).resolve().parents[3]


def train(kind, data, folder, steps):
    coordinator = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    line = [sys.executable, "-m", "tests.training.loop.member"]
    running = [
        subprocess.Popen(
            [*line, str(rank), "2", coordinator, kind, str(data), str(folder), str(steps)],
            env=environment,
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in running:
            said = process.communicate(timeout=600)[1]
            assert process.returncode == 0, said[-3000:]
    finally:  # the others of a process that failed would wait for it
        for process in running:
            process.kill()
            process.wait()


def losses(folder):
    with (folder / "train.csv").open(newline="") as file:
        return [[float(row[key]) for key in row if "loss" in key] for row in csv.DictReader(file)]


def test_two_processes_train_as_one(line_shards, tmp_path):
    # the FOTS network takes minutes to compile: see member.py
    steps = 3
    train("line", line_shards, tmp_path, steps)
    alone, together = losses(tmp_path / "alone"), losses(tmp_path / "together")
    assert len(alone) == len(together) == steps
    np.testing.assert_allclose(together, alone, rtol=1e-4)
    np.testing.assert_allclose(together[0], alone[0], rtol=2e-6)
    one, two = (read_checkpoint(tmp_path / n / "checkpoint.npz") for n in ("alone", "together"))
    assert one.state == two.state | {"seconds": one.state["seconds"]}
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(b, a, atol=5e-3)
    assert list((tmp_path / "together").glob("validation.csv"))
