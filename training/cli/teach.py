"""``python -m training teach``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.errors import TrainingError

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("photos", type=Path, help="folder of photos without labels")
    parser.add_argument("--out", type=Path, required=True, help="labeled folder to write")
    parser.add_argument("--sure", type=float, default=0.9, help="least confidence, 0 to 1")
    parser.set_defaults(call=_teach, threads=None)


def _teach(options: argparse.Namespace) -> None:
    from training.data.pseudo_labels import RapidOcr, find_pictures, teach

    if not options.photos.is_dir():
        raise TrainingError(f"{options.photos} is not a folder of photos.")
    if not 0 <= options.sure <= 1:
        raise TrainingError(f"--sure is {options.sure}. Give a number from 0 to 1.")
    find_pictures(options.photos)  # before the models are loaded
    print(json.dumps(teach(RapidOcr(), options.photos, options.out, options.sure)))
