"""What more processes cost: ``python -m tests.training.loop.cost CONFIG DATA FOLDER``.

A network is trained by one process, then by two and more in network namespaces of their own, for
the same steps: losses side by side, seconds a step, memory, and bytes on the wire. Needs root, and
JAX or, with KERAS_BACKEND=torch, PyTorch. TensorFlow trains with --worlds 1 alone.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.hosts import ROOT, Hosts

_ENVIRONMENT = {
    "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax"),
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(ROOT),
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def _rows(run: Path) -> list[dict[str, str]]:
    path = run / "train.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _sent(process: subprocess.Popen[bytes]) -> int:
    """Bytes that left the network namespace of a process since it was made."""
    for line in Path(f"/proc/{process.pid}/net/dev").read_text().splitlines():
        if found := re.match(r"\s*v\d+:(.*)", line):
            return int(found[1].split()[8])
    return 0


def _peak_mb(process: subprocess.Popen[bytes]) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _train(commands: Sequence[list[str]], run: Path) -> None:
    """Run the processes of a training; say what they cost while they run."""
    processes = [
        subprocess.Popen(line, cwd=ROOT, env={**os.environ, **_ENVIRONMENT}) for line in commands
    ]
    marks: dict[int, int] = {}  # bytes when a number of steps was done
    peaks = [0.0] * len(processes)
    while all(process.poll() is None for process in processes):
        with contextlib.suppress(FileNotFoundError):  # a process has just ended
            marks.setdefault(len(_rows(run)), sum(map(_sent, processes)))
            peaks = [max(peak, _peak_mb(p)) for peak, p in zip(peaks, processes, strict=True)]
        time.sleep(0.1)
    assert [process.wait() for process in processes] == [0] * len(processes)
    seconds = [float(row["seconds"]) for row in _rows(run)]
    steps = [after - before for before, after in pairwise(seconds)]
    first, last = min(n for n in marks if n), max(marks)
    print(
        f"{len(processes)} processes: first step {seconds[0]:.1f} s, median of the others "
        f"{statistics.median(steps):.2f} s; greatest RSS {[round(peak) for peak in peaks]} MB; "
        f"{(marks[last] - marks[first]) / (last - first) / 1e6:.2f} MB sent a step by all"
    )


def main(options: argparse.Namespace) -> None:
    folder, worlds = options.folder.absolute(), options.worlds
    folder.mkdir(parents=True, exist_ok=True)
    text = re.sub(r"^log_every.*\n", "", options.config.read_text(), flags=re.MULTILINE)
    text = text.replace("[train]", "[train]\nlog_every = 1")
    (folder / "config.toml").write_text(text)
    line = [sys.executable, "-m", "training", "fit", "--config", str(folder / "config.toml")]
    line += ["--data", str(options.data.absolute()), "--steps", str(options.steps), "--run"]
    for world in worlds:
        run = folder / str(world)
        if world == 1:
            _train([[*line, str(run)]], run)
            continue
        with Hosts(folder, world, namespaces=True) as hosts:
            group = ["--world", str(world), "--coordinator", f"{hosts.ip(0)}:7001"]
            each = [*line, str(run), *group, "--rank"]
            _train([hosts.inside(i, [*each, str(i)], f"h{i}") for i in range(world)], run)
    losses = [[float(row["loss"]) for row in _rows(folder / str(world))] for world in worlds]
    print("step | " + " | ".join(f"{world} processes" for world in worlds))
    for step, row in enumerate(zip(*losses, strict=True), 1):
        differences = [f"{abs(loss / row[0] - 1):.0e}" for loss in row[1:]]
        print(" | ".join([str(step), *(f"{loss:.6f}" for loss in row), *differences]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--worlds", type=int, nargs="+", default=[1, 2])
    main(parser.parse_args())
