"""Are two processes one? ``python -m tests.training.loop.equality CONFIG FOLDER STEPS DATA...``.

A network is trained several times for the same steps: by one process, by two, and in ways that
change nothing but the rounding, which show how far two equal runs part by themselves: one process
whose initial weights are changed in the last bit, and on JAX one process with two devices.
CONFIG needs train.init_from, a run folder. KERAS_BACKEND is jax or torch. One run after the other;
what is in FOLDER already is kept, and goes on. With --float64, on JAX, all is computed in float64:
what is left of a difference then is none of rounding.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

from tests.hosts import ROOT, free_port
from training.config import load_config
from training.runs.folder import AVERAGED, CHECKPOINT

_BACKEND = os.environ.get("KERAS_BACKEND", "jax")
_FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
_SHOWN = (1, 2, 3, 5, 10, 20, 30, 50, 70, 100, 150, 200)


def _changed_in_the_last_bit(run: Path, to: Path, kind: type[np.floating]) -> Path:
    """Copy a run folder, with each weight multiplied by about 1 + 1e-7, or 2e-16 in float64."""
    shutil.copytree(run, to, dirs_exist_ok=True)
    noise = np.random.default_rng(0)

    def take(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            values.update({name: item[...].astype(kind)})

    values: dict[str, np.ndarray] = {}
    with h5py.File(to / AVERAGED, "r+") as file:
        file.visititems(take)
        for name, value in values.items():  # which may be stored as float16
            del file[name]
            change = np.finfo(kind).eps * noise.standard_normal(value.shape)
            file[name] = (value + value * change).astype(kind)
    return to


def _losses(run: Path) -> np.ndarray:
    with (run / "train.csv").open(newline="") as file:
        return np.array([float(row["loss"]) for row in csv.DictReader(file)])


def _train(line: list[str], run: Path, steps: int, world: int, devices: int = 1) -> np.ndarray:
    """Train by one process without a group (world 0), or by a group; return the losses."""
    if not (run / CHECKPOINT).exists() or len(_losses(run)) < steps:
        line = [*line, "--run", str(run)]
        lines = [line]
        if world:
            group = ["--world", str(world), "--coordinator", f"127.0.0.1:{free_port()}"]
            lines = [[*line, *group, "--rank", str(rank)] for rank in range(world)]
        flags = f"{_FLAGS} --xla_force_host_platform_device_count={devices}"
        environment = {
            **os.environ,
            "KERAS_BACKEND": _BACKEND,
            "JAX_PLATFORMS": "cpu",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "XLA_FLAGS": flags,
        }
        processes = [subprocess.Popen(each, cwd=ROOT, env=environment) for each in lines]
        assert [process.wait() for process in processes] == [0] * len(processes)
    return _losses(run)


def main(options: argparse.Namespace) -> None:
    folder, steps, config = options.folder, options.steps, options.config
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(load_config(config).train.init_from)
    module, kind = ("tests.training.loop.float64", np.float64)
    if not options.float64:
        module, kind = ("training", np.float32)
    line = [sys.executable, "-m", module, "fit", "--config", str(config), "--steps", str(steps)]
    line += ["--data", *map(str, options.data), "--from"]
    plain = [*line, str(source)]
    noisy = [*line, str(_changed_in_the_last_bit(source, folder / "initial", kind))]
    # on PyTorch one process without a group normalizes by another kernel
    one = 1 if _BACKEND == "torch" else 0
    base = _train(plain, folder / "one", steps, one)
    runs = {
        "two processes": _train(plain, folder / "two", steps, 2),
        "last bit": _train(noisy, folder / "last-bit", steps, one),
    }
    if _BACKEND == "torch":
        runs["fused kernel"] = _train(plain, folder / "fused", steps, 0)
    elif options.devices:
        runs["two devices"] = _train(plain, folder / "devices", steps, 1, devices=2)
    print("step | one process | " + " | ".join(runs) + " | relative differences")
    for step in [step for step in _SHOWN if step <= steps]:
        values = [run[step - 1] for run in runs.values()]
        differences = [abs(value / base[step - 1] - 1) for value in values]
        print(
            f"{step} | {base[step - 1]:.6f} | "
            + " | ".join(f"{value:.6f}" for value in values)
            + " | "
            + " ".join(f"{difference:.0e}" for difference in differences)
        )
    for name, run in runs.items():
        difference = np.abs(run / base - 1)
        text = ", ".join(
            f"to {step} {difference[:step].max():.0e}" for step in _SHOWN if step <= steps
        )
        print(f"{name}: greatest relative difference {text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("steps", type=int)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--float64", action="store_true")
    parser.add_argument("--devices", action="store_true", help="one process with two devices, too")
    options = parser.parse_args()
    options.config, options.folder = options.config.absolute(), options.folder.absolute()
    options.data = [path.absolute() for path in options.data]
    main(options)
