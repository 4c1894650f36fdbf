"""``python -m training teach``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sdk.arguments import share
from training.cli.network import CLUSTER
from training.errors import TrainingError

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("photos", type=Path, help="folder of photos without labels")
    parser.add_argument("--out", type=Path, required=True, help="labeled folder to write")
    parser.add_argument("--sure", type=share, default=0.9, help="least confidence, 0 to 1")
    parser.add_argument("--cluster", metavar="HOST:PORT", help=f"{CLUSTER}; the nodes read")
    parser.set_defaults(call=_teach, threads=None)


def _teach(options: argparse.Namespace) -> None:
    from training.data.pseudo_labels import RapidOcr, find_pictures, teach

    if not options.photos.is_dir():
        raise TrainingError(f"{options.photos} is not a folder of photos.")
    find_pictures(options.photos)  # before the models are loaded
    folders = options.photos, options.out
    if options.cluster is None:
        done = teach(RapidOcr(), *folders, options.sure)
    else:
        from training.data.pseudo_labels_cluster import teach_on_cluster

        done = teach_on_cluster(options.cluster, *folders, options.sure)
    print(json.dumps(done))
