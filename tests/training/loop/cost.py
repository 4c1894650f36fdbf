"""What a second process costs: ``python -m tests.training.loop.cost CONFIG DATA FOLDER [STEPS]``.

A network is trained by one process, then by two in network namespaces of their own, for the same
steps: losses side by side, seconds a step, memory, and bytes on the wire. Needs root, and JAX or,
with KERAS_BACKEND=torch, PyTorch.
"""

from __future__ import annotations

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


def main(config: Path, data: Path, folder: Path, steps: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = config.read_text().replace("[train]", "[train]\nlog_every = 1")
    (folder / "config.toml").write_text(text)
    line = [sys.executable, "-m", "training", "fit", "--config", str(folder / "config.toml")]
    line += ["--data", str(data), "--steps", str(steps), "--run"]
    _train([[*line, str(folder / "one")]], folder / "one")
    with Hosts(folder, 2, namespaces=True) as hosts:
        two = [*line, str(folder / "two"), "--world", "2", "--coordinator", f"{hosts.ip(0)}:7001"]
        _train(
            [hosts.inside(rank, [*two, "--rank", str(rank)], f"h{rank}") for rank in range(2)],
            folder / "two",
        )
    losses = [[float(row["loss"]) for row in _rows(folder / name)] for name in ("one", "two")]
    for step, (one, two_) in enumerate(zip(*losses, strict=True), 1):
        print(f"{step:4} {one:12.6f} {two_:12.6f} {abs(one - two_) / abs(one):9.1e}")


if __name__ == "__main__":
    config, data, folder, *rest = sys.argv[1:]
    main(Path(config), Path(data).absolute(), Path(folder).absolute(), int(*rest or ["20"]))
