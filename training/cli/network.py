"""Arguments of commands that read with the networks of a run, and the reader they ask for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sdk.arguments import positive_int
from training.startup import load_keras

if TYPE_CHECKING:
    from training.evaluate.readers import NetworkReader

__all__ = ["CLUSTER", "add_arguments", "open_reader"]

CLUSTER = "Ray cluster that this machine is a node of, see docs/scale.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the size of photos and the number of threads."""
    parser.add_argument(
        "--size", type=positive_int, default=640, help="longest side of photos, with --run"
    )
    parser.add_argument("--threads", type=positive_int, help="CPU threads of the network")


def open_reader(options: argparse.Namespace) -> NetworkReader:
    """Return a reader with the networks of the run in ``--run``.

    Raises:
        TrainingError: The folder is not a run.
    """
    load_keras()
    from training.evaluate.readers import NetworkReader
    from training.runs.folder import load_run

    run = load_run(options.run)
    return NetworkReader(run.models, run.config, options.size)
