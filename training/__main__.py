"""Command line: ``python -m training synth|fit|evaluate|diagnose|…``."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdk.arguments import (positive_int)
from sdk.errors import SdkError
from training.confidence.cli import add_calibrate_arguments, add_reliability_arguments
from training.diagnose.cli import add_arguments as _diagnose_arguments
from training.errors import TrainingError
from training.pack import add_arguments as _pack_arguments
from training.shards import ShardError
from training.soup import add_arguments as _average_arguments
from training.startup import MISSING, load_keras, missing_package
from training.sweep.cli import add_arguments as _sweep_arguments
from training.teach import add_arguments as _teach_arguments


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, help="TOML file, see training/configs")
    parser.add_argument(
        "--data", nargs="+", required=True, help="folders of shards, or with a labels.jsonl"
    )
    parser.add_argument("--run", required=True, help="run folder; a run that is there goes on")
    parser.add_argument("--minutes", type=float, help="end, learning rate included, after so long")
    parser.add_argument("--threads", type=positive_int, help="CPU threads of the network")
    parser.set_defaults(call=_fit)


def _fit(options: argparse.Namespace) -> None:
    load_keras()
    from training.config import load_config
    from training.fit import Fit

    load_config(options.config)
    text = Path(options.config).read_text(encoding="utf-8")
    Fit(text, options.data, options.run, minutes=options.minutes, command=sys.argv[1:]).run()


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", help="run folder")
    source.add_argument("--bundle", help="exported bundle")
    parser.add_argument(
        "--data", required=True, help="shards, a folder with labels.jsonl, or a folder of such"
    )
    parser.add_argument("--limit", type=positive_int, help="most pictures of a set")
    parser.add_argument(
        "--min-confidence", type=float, help="with --bundle: drop lines below, 0 to 1"
    )
    parser.add_argument(
        "--size", type=positive_int, default=640, help="longest side of photos, with --run"
    )
    parser.add_argument("--threads", type=positive_int, help="CPU threads of the network")
    parser.set_defaults(call=_evaluate)


def _reader(options: argparse.Namespace) -> Any:
    load_keras()
    from training.reading import NetworkReader
    from training.run import load_run

    run = load_run(options.run)
    return NetworkReader(run.models, run.config, options.size)


def _evaluate(options: argparse.Namespace) -> None:
    from training.evaluate import BundleReader, PictureReader, evaluate, find_sets

    with contextlib.ExitStack() as stack:
        if options.bundle:
            reader: PictureReader = stack.enter_context(
                contextlib.closing(
                    BundleReader(options.bundle, options.min_confidence, options.threads)
                )
            )
        else:
            reader = _reader(options)
        for folder in find_sets(options.data):
            measures = evaluate(reader, folder, options.limit)
            row = {"set": folder.name, **{k: round(v, 4) for k, v in measures.items()}}
            print(json.dumps(row), flush=True)


def _preview_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", help="run folder: show what its network reads")
    source.add_argument("--config", help="TOML file: show what would be trained on")
    parser.add_argument("--data", required=True, help="folder of shards, or with a labels.jsonl")
    parser.add_argument("--out", required=True, help="PNG to write")
    parser.add_argument("--count", type=positive_int, default=24, help="samples shown")
    parser.add_argument(
        "--size", type=positive_int, default=640, help="longest side of photos, with --run"
    )
    parser.add_argument("--threads", type=positive_int, help="CPU threads of the network")
    parser.set_defaults(call=_preview)


def _preview(options: argparse.Namespace) -> None:
    from training.config import load_config
    from training.dataset import find_parts
    from training.evaluate import read_samples
    from training.preview import preview_batches, preview_reading, save_sheet

    if options.config:
        part = find_parts([Path(options.data)], 0)[0][0]
        pictures = preview_batches(load_config(options.config), part, options.count)
    else:
        samples = list(itertools.islice(read_samples(Path(options.data)), options.count))
        pictures = preview_reading(_reader(options), samples)
    save_sheet(pictures, Path(options.out))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code.

    0: done, 1: it failed, 2: wrong usage, 3: a package that it needs is not installed.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["synth"]:
        from training.synth.cli import main as synth

        return int(synth(arguments[1:]) or 0)
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("synth", help="generate photos or strips", add_help=False)
    _fit_arguments(commands.add_parser("fit", help="train, or go on with, a run"))
    _average_arguments(commands.add_parser("average", help="make the mean of runs, a run itself"))
    _pack_arguments(commands.add_parser("pack", help="keep a run's weights in half precision"))
    _teach_arguments(commands.add_parser("teach", help="label photos by another OCR engine"))
    _evaluate_arguments(commands.add_parser("evaluate", help="measure a run or a bundle"))
    _diagnose_arguments(
        commands.add_parser("diagnose", help="sort what was not read by the stage that lost it")
    )
    add_calibrate_arguments(
        commands.add_parser("calibrate", help="fit a bundle's confidences to held-back shards")
    )
    add_reliability_arguments(
        commands.add_parser("reliability", help="compare confidences with what is right")
    )
    _sweep_arguments(
        commands.add_parser("sweep", help="choose a bundle's settings on generated photos")
    )
    _preview_arguments(commands.add_parser("preview", help="draw samples or readings"))
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    if options.threads:  # TensorFlow reads it when it is imported
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(options.threads)
    try:
        options.call(options)
    except (TrainingError, ShardError, SdkError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {missing_package(error, 'train')}", file=sys.stderr)
        return MISSING
    return 0


if __name__ == "__main__":
    sys.exit(main())
