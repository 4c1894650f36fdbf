"""``python -m training evaluate``."""

from __future__ import annotations

import argparse
import contextlib
import json

from sdk.arguments import positive_int
from training.cli import network
from training.data.labels import SPLITS

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", help="run folder")
    source.add_argument("--bundle", help="exported bundle")
    parser.add_argument(
        "--data",
        required=True,
        help="shards, a folder with labels.jsonl, or a folder of such folders",
    )
    parser.add_argument("--limit", type=positive_int, help="greatest number of pictures of a set")
    parser.add_argument(
        "--min-confidence", type=float, help="with --bundle: least confidence of lines, 0 to 1"
    )
    parser.add_argument(
        "--split",
        choices=(*SPLITS, "all"),
        default="",
        help="part of a labeled folder (default: test if its rows name their split, else all)",
    )
    network.add_arguments(parser)
    parser.set_defaults(call=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from training.data.sets import default_split, find_sets
    from training.evaluate.measures import evaluate
    from training.evaluate.readers import BundleReader, PictureReader

    with contextlib.ExitStack() as stack:
        if options.bundle:
            bundle = BundleReader(options.bundle, options.min_confidence, options.threads)
            reader: PictureReader = stack.enter_context(contextlib.closing(bundle))
        else:
            reader = network.open_reader(options)
        for folder in find_sets(options.data):
            measures = evaluate(reader, folder, options.limit, options.split)
            split = options.split or default_split(folder)
            told = {} if split == "all" else {"split": split}
            row = {"set": folder.name, **told, **{k: round(v, 4) for k, v in measures.items()}}
            print(json.dumps(row), flush=True)
