"""``python -m convert tune``."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.cli.arguments import say, size
from convert.source.graphs import GRAPHS
from sdk.arguments import positive_int
from training.startup import load_keras

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="run folders; later runs take precedence")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the tuned graphs")
    add("--force", action="store_true", help="replace an existing folder of tuned graphs")
    add(
        "--photos",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="shards or pictures, with or without labels (default: generated pictures)",
    )
    add(
        "--graphs",
        nargs="+",
        choices=list(GRAPHS),
        default=[],
        help="graphs to tune (default: all)",
    )
    add(
        "--steps",
        type=positive_int,
        default=400,
        help="optimizer steps of each graph (default: 400)",
    )
    add(
        "--count",
        type=positive_int,
        default=200,
        metavar="N",
        help="greatest number of photos, and a tenth of that of line images",
    )
    add("--frame", type=size, default=(640, 640), metavar="WIDTHxHEIGHT", help="detector's input")
    add("--crop", type=positive_int, default=256, metavar="PX", help="side of the detector's crops")
    add("--batch", type=positive_int, default=4, metavar="N", help="crops in a batch")
    add("--rate", type=float, default=0.01, help="peak learning rate in grid steps")
    add("--seed", type=int, default=1)
    parser.set_defaults(call=_tune)


def _tune(options: argparse.Namespace) -> int:
    load_keras()
    from convert.quantize.tune import Tuning, tune
    from convert.source.run import open_run

    how = Tuning(
        steps=options.steps,
        photos=tuple(options.photos),
        graphs=tuple(options.graphs),
        count=options.count,
        frame=options.frame,
        crop=options.crop,
        batch=options.batch,
        rate=options.rate,
        seed=options.seed,
    )
    how.check()
    runs = [open_run(run) for run in options.runs]
    records = tune(runs, options.out, how, options.force, say)
    print(f"{'graph':<12}{'steps':>7}{'seconds':>9}{'distance before':>17}{'after':>10}")
    for name, record in records.items():
        before, after = (record["distance"][key] for key in ("before", "after"))
        print(f"{name:<12}{record['steps']:>7}{record['seconds']:>9}{before:>17.4f}{after:>10.4f}")
    say(f"wrote {options.out}")
    return 0
