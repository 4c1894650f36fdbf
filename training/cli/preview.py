"""``python -m training preview``."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

from sdk.arguments import positive_int
from training.cli import network

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", help="run folder: show the readings of its network")
    source.add_argument("--config", help="TOML file: show training samples")
    parser.add_argument("--data", required=True, help="folder of shards, or with a labels.jsonl")
    parser.add_argument("--out", required=True, help="PNG to write")
    parser.add_argument("--count", type=positive_int, default=24, help="number of samples")
    network.add_arguments(parser)
    parser.set_defaults(call=_preview)


def _preview(options: argparse.Namespace) -> None:
    from training.config import load_config
    from training.data.dataset import find_parts
    from training.data.sets import read_samples
    from training.evaluate.preview import preview_batches, preview_reading, save_sheet

    if options.config:
        part = find_parts([Path(options.data)], 0)[0][0]
        pictures = preview_batches(load_config(options.config), part, options.count)
    else:
        samples = list(itertools.islice(read_samples(Path(options.data)), options.count))
        pictures = preview_reading(network.open_reader(options), samples)
    save_sheet(pictures, Path(options.out))
