"""What larger batches cost in accuracy: ``python -m benchmarks.batch_size FOLDER``.

A small line network learns drawn digits from equal samples, in batches of 1, 4 and 16 times the
smallest size and with several learning rates each. Larger batches make fewer steps. This is what
more processes do to a training whose batch grows with their number. FOLDER keeps data and runs: a
second start trains only what is missing.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sdk.arguments import positive_int
from training.data.shards import shard_path, write_shard
from training.startup import load_keras

__all__: list[str] = []

_RATES = {1: (1.0, 2.0), 4: (1.0, 2.0, 4.0), 16: (1.0, 4.0, 16.0)}
"""Multiples of the base rate, for each multiple of the batch."""

_CONFIG = """
[model]
kind = "line"
charset = "0123456789"
[model.line]
stem = [8, 8, 16]
blocks = 1
[model.recognizer]
widths = [16, 24, 48]
blocks = 1
kernel = 5
[data]
buckets = [{frame}]
columns = {columns}
max_batch = {batch}
validation = 600
[train]
steps = {steps}
learning_rate = {rate}
warmup = {warmup}
log_every = {log_every}
rescan_steps = 0
validate_minutes = 1e6
checkpoint_minutes = 1e6
seed = {seed}
"""
_FRAME = 96


def _draw(rng: np.random.Generator, count: int) -> Iterator[tuple[int, np.ndarray, dict[str, str]]]:
    """Yield line images 32 px high with one to four digits in Pillow's own font."""
    font = ImageFont.load_default(25)
    for number in range(count):
        text = "".join(rng.choice(list("0123456789"), rng.integers(1, 5)))
        picture = Image.new("RGB", (math.ceil(font.getlength(text)) + 4, 32), (235, 230, 220))
        ImageDraw.Draw(picture).text((2, 0), text, fill=(20, 20, 30), font=font)
        yield number, np.array(picture), {"text": text}


def _data(folder: Path) -> Path:
    """Return the folder of the data, which are drawn if they are missing: 600 to validate on."""
    rng = np.random.default_rng(0)
    if not shard_path(folder, 5).exists():
        for number in range(6):
            write_shard(shard_path(folder, number), _draw(rng, 600))
    return folder


def _train(data: Path, folder: Path, options: argparse.Namespace, factor: int, rate: float) -> None:
    from training.loop.trainer import Trainer

    batch = factor * options.batch
    steps = options.samples // batch
    text = _CONFIG.format(
        frame=_FRAME,
        columns=_FRAME * batch,
        batch=batch,
        steps=steps,
        rate=rate * options.rate,
        warmup=steps // 10,
        log_every=max(1, steps // 20),
        seed=options.seed,
    )
    Trainer(text, [data], folder).run()


def _last(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))[-1]


def main(argv: Sequence[str] | None = None) -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_size", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of data and runs")
    parser.add_argument("--samples", type=positive_int, default=12800, help="of each run")
    parser.add_argument("--batch", type=positive_int, default=8, help="smallest batch")
    parser.add_argument("--rate", type=float, default=5e-3, help="smallest learning rate")
    parser.add_argument("--factors", type=int, nargs="+", default=list(_RATES), choices=_RATES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    load_keras()
    data = _data(options.folder / "digits")
    print("batch  steps   rate     loss  exact    cer")
    for factor in options.factors:
        for rate in _RATES[factor]:
            run = options.folder / f"{factor}x-{rate:g}-{options.seed}"
            if not (run / "validation.csv").exists():
                _train(data, run, options, factor, rate)
            if not (run / "validation.csv").exists():
                raise SystemExit("interrupted; run the same command again")
            train, held_back = _last(run / "train.csv"), _last(run / "validation.csv")
            batch = factor * options.batch
            print(
                f"{batch:5}  {options.samples // batch:5}  {rate * options.rate:6.4f}"
                f"  {float(train['loss']):6.2f}  {float(held_back['exact']):5.3f}"
                f"  {float(held_back['cer_norm']):5.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
