"""The convolutional and the recurrent line network on the same data and the same steps.

python -m benchmarks.architectures --data SHARDS --steps 3000 --out FOLDER

Each network of `training/configs` (line, crnn) is trained from random weights on the shards, by a
command of its own, and exported in half precision, the only form that both have. The table has the
exact strings and the character error rate on the held-back lines, size of the file, milliseconds of
a line of 32x256 px on one thread, and the time of training: CPU seconds, which other programs on
the machine hardly change, and seconds by the clock. A second call goes on after an interruption.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from sdk.arguments import positive_int
from sdk.engine import open_engine
from sdk.model.bundle import Bundle

CONFIGS = Path(__file__).resolve().parent.parent / "training" / "configs"
KINDS = ("line", "crnn")
PRECISION = "fp16"
ROUNDS = 50
LINE = (1, 32, 256, 3)
CPU = "cpu.json"
"""File in a run with the CPU seconds of its training."""


def run_command(*words: str | Path) -> float:
    """Run a module of this project and return its CPU seconds.

    Raises:
        SystemExit: The command failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", *map(str, words)], check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} failed with exit code {done.returncode}.")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def train(kind: str, data: list[Path], steps: int, charset: str, run: Path) -> float:
    """Train a network, or resume it, and return the CPU seconds of all calls."""
    config = CONFIGS / f"{kind}.toml"
    options = ["--data", *data, "--steps", str(steps), "--charset", charset, "--run", run]
    used = run_command("training", "fit", "--config", config, *options)
    earlier = json.loads((run / CPU).read_text()) if (run / CPU).exists() else 0.0
    (run / CPU).write_text(json.dumps(earlier + used))
    return float(earlier + used)


def milliseconds(bundle: Path) -> float:
    """Return the median time of a line on one thread."""
    line = np.random.default_rng(0).integers(0, 256, LINE, np.uint8)
    engine = open_engine(Bundle.open(bundle).graph("line"), "cpu", 1)
    with contextlib.closing(engine):
        times = []
        for _ in range(ROUNDS + 5):
            began = time.perf_counter()
            engine.run({"strip": line})
            times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times[5:]))


def measure(kind: str, data: list[Path], steps: int, charset: str, out: Path) -> dict[str, Any]:
    """Train, export and measure a network."""
    run, bundle = out / kind, out / f"{kind}-bundle"
    cpu = train(kind, data, steps, charset, run)
    if not bundle.exists():
        # half precision needs no calibration; fidelity is no question of this comparison
        samples = ["--calibration", data[0], "--calibration-count", "8", "--count", "64"]
        run_command("convert", "export", run, "--precision", PRECISION, *samples, "--out", bundle)
    record = json.loads((run / "run.json").read_text())
    return {
        "network": kind,
        "steps": record["step"],
        "parameters": record["parameters"],
        "exact": record["validation"]["exact"],
        "cer": record["validation"]["cer_norm"],
        "MB": Bundle.open(bundle).graph("line").spec.bytes / 1e6,
        "ms": milliseconds(bundle),
        "cpu_s": cpu,
        "wall_s": record["seconds"],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table in Markdown."""
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "| --- |" + " ---: |" * (len(names) - 1)]
    for row in rows:
        cells = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the comparison and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="shards of lines")
    parser.add_argument("--steps", type=positive_int, default=3000, help="optimizer steps of each")
    parser.add_argument("--charset", default="ascii", help="characters, as for fit")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and bundles")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    arguments = (options.data, options.steps, options.charset, options.out)
    rows = [measure(kind, *arguments) for kind in KINDS]
    (options.out / "architectures.json").write_text(json.dumps(rows, indent=1))
    print(table(rows))


if __name__ == "__main__":
    main()
