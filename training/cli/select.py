"""``python -m training select``: line images that a network does not read surely yet."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sdk.arguments import share
from training.errors import TrainingError
from training.startup import load_keras

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("shards", type=Path, help="folder of shards of line images")
    parser.add_argument("--run", required=True, help="run folder with a line network")
    parser.add_argument("--out", type=Path, required=True, help="folder of shards to write")
    parser.add_argument(
        "--most-loss",
        type=float,
        default=3.0,
        help="lines above this loss are left out, nats a character (default: %(default)s)",
    )
    parser.add_argument(
        "--sure-loss",
        type=float,
        default=0.02,
        help="lines below this loss are read surely (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-sure",
        type=share,
        default=0.35,
        help="share of surely read lines that is kept, 0 to 1 (default: %(default)s)",
    )
    parser.set_defaults(call=_select, threads=None)


def _select(options: argparse.Namespace) -> None:
    if not 0 <= options.sure_loss <= options.most_loss:
        raise TrainingError(
            f"--sure-loss is {options.sure_loss} and --most-loss is {options.most_loss}. "
            "Give numbers of at least 0, the first not above the second."
        )
    load_keras()
    from sdk.charset import Charset
    from training.evaluate.selection import Selection, select_shards
    from training.runs.folder import load_run

    run = load_run(options.run)
    if "line" not in run.models:
        raise TrainingError(f"{options.run} has no line network.")
    selection = Selection(options.most_loss, options.sure_loss, options.keep_sure)
    charset, widest = Charset(run.config.model.charset), run.config.data.buckets[-1]
    done = select_shards(
        run.models["line"], charset, widest, options.shards, options.out, selection
    )
    print(json.dumps(done))
