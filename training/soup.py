"""The mean of several runs' weights, as a run of its own.

Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time", section 2, uniform: runs that began from the same
weights and went on with other batches err differently, and their mean often errs less than each. It
costs nothing at run time. Runs that share no beginning have no meaningful mean.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdk.files import write_atomically
from training.errors import TrainingError

__all__ = ["add_arguments", "average_runs"]


def average_runs(sources: Sequence[Path | str], folder: Path | str) -> None:
    """Write a run whose weights are the mean of those of others.

    It can be evaluated, exported and begun from like any run, but not gone on with.

    Args:
        sources: At least two run folders of the same network; their averaged weights are taken.
        folder: Run folder to write; must not hold a run.

    Raises:
        TrainingError: A source is no run, the networks differ, or the folder is taken or not
            writable.
    """
    from training.models.build import build_models
    from training.run import AVERAGED, CONFIG, RECORD, load_run, save_weights

    folder = Path(folder)
    if len(sources) < 2:
        raise TrainingError(f"A mean needs at least two runs, not {len(sources)}.")
    if (folder / CONFIG).exists():
        raise TrainingError(f"{folder} already holds a run. Give a new folder.")
    runs = [load_run(source) for source in sources]
    model = runs[0].config.model
    for source, run in zip(sources, runs, strict=True):
        if run.config.model != model:
            raise TrainingError(
                f"{source} holds another network than {sources[0]}: their [model] sections differ. "
                "Average runs of one network, begun from the same weights."
            )
    mean = build_models(model)
    for name, part in mean.parts.items():
        weights = zip(*(run.models[name].get_weights() for run in runs), strict=True)
        part.set_weights([np.mean(np.stack(values), axis=0) for values in weights])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"Cannot make the run folder {folder}: {error}.") from error
    save_weights(mean, mean.trained.get_weights(), folder / AVERAGED)
    record = _record(
        [{"name": Path(s).name, **r.record} for s, r in zip(sources, runs, strict=True)]
    )
    write_atomically(folder / RECORD, json.dumps(record, indent=1).encode())
    # last: a folder without it is no run
    write_atomically(folder / CONFIG, (Path(sources[0]) / CONFIG).read_bytes())


def _record(sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is true of all sources, the most steps and samples of any, and the sources."""
    first, *others = sources
    record = {k: v for k, v in first.items() if all(o.get(k) == v for o in others)}
    for key in ("step", "samples"):
        record[key] = max(int(source.get(key, 0)) for source in sources)
    return {**record, "mean_of": sources}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("runs", nargs="+", help="run folders that began from the same weights")
    parser.add_argument("--out", required=True, help="run folder to write")
    parser.set_defaults(call=lambda options: average_runs(options.runs, options.out), threads=None)
