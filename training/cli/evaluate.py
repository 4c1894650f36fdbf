"""``python -m training evaluate``."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.arguments import positive_int, share
from training.cli import network
from training.data.labels import SPLITS
from training.errors import TrainingError
from training.startup import load_keras

if TYPE_CHECKING:
    from training.evaluate.cluster import ReaderSpec

_Evaluator = Callable[[Path, int | None, str], dict[str, float]]

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
        "--min-confidence", type=share, help="with --bundle: least confidence of lines, 0 to 1"
    )
    parser.add_argument(
        "--split",
        choices=(*SPLITS, "all"),
        default="",
        help="part of a labeled folder (default: test if its rows name their split, else all)",
    )
    network.add_arguments(parser)
    parser.add_argument(
        "--cluster", metavar="HOST:PORT", help=f"{network.CLUSTER}; the nodes read on their CPUs"
    )
    parser.set_defaults(call=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from training.data.sets import default_split, find_sets

    with _evaluator(options) as measures_of:
        for folder in find_sets(options.data):
            measures = measures_of(folder, options.limit, options.split)
            split = options.split or default_split(folder)
            told = {} if split == "all" else {"split": split}
            row = {"set": folder.name, **told, **{k: round(v, 4) for k, v in measures.items()}}
            print(json.dumps(row), flush=True)


@contextlib.contextmanager
def _evaluator(options: argparse.Namespace) -> Iterator[_Evaluator]:
    """Give a function that returns the measures of a folder, from its limit and its split."""
    if options.cluster is not None:
        if options.threads is not None:
            raise TrainingError("--threads: on a cluster a reader has one core. Leave it out.")
        from sdk.cluster.session import joined
        from training.evaluate.cluster import evaluate_on_cluster

        spec = _reader_spec(options)
        with joined(options.cluster) as cluster:
            yield functools.partial(evaluate_on_cluster, cluster, spec)
        return
    from training.evaluate.measures import evaluate
    from training.evaluate.readers import BundleReader, PictureReader

    with contextlib.ExitStack() as stack:
        if options.bundle:
            bundle = BundleReader(options.bundle, options.min_confidence, options.threads)
            reader: PictureReader = stack.enter_context(contextlib.closing(bundle))
        else:
            reader = network.open_reader(options)
        yield functools.partial(evaluate, reader)


def _reader_spec(options: argparse.Namespace) -> ReaderSpec:
    """Return the reader that the nodes open."""
    from training.evaluate.cluster import ReaderSpec

    source = options.bundle or options.run
    if Path(source).is_dir():  # otherwise the name of a bundle
        source = str(Path(source).absolute())
    if options.bundle:
        return ReaderSpec(source, min_confidence=options.min_confidence)
    load_keras()
    import keras

    return ReaderSpec(source, True, size=options.size, backend=keras.backend.backend())
