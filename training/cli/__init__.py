"""Command line: ``python -m training synth|fit|evaluate|diagnose|…``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from sdk.errors import SdkError
from sdk.native_notes import native_notes_to_log
from training.cli import (
    confidence,
    diagnose,
    evaluate,
    fit,
    language,
    prepare,
    preview,
    select,
    specialize,
    sweep,
    teach,
    vocabulary,
    weights,
)
from training.data.shards import ShardError
from training.errors import TrainingError
from training.interruption import interrupted_by_sigterm
from training.startup import MISSING, missing_package

__all__ = ["build_parser", "main"]

INTERRUPTED = 130
"""Exit code of a command that was interrupted."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code.

    0: success, 1: failure, 2: wrong usage, 3: a required package is not installed, 130:
    interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["synth"]:
        from training.cli.synth import main as synth

        return int(synth(arguments[1:]) or 0)
    options = build_parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    if options.threads:  # TensorFlow reads this variable at its import
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(options.threads)
    try:
        with interrupted_by_sigterm(), native_notes_to_log():
            return int(options.call(options) or 0)
    except (TrainingError, ShardError, SdkError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {missing_package(error, 'train')}", file=sys.stderr)
        return MISSING
    except KeyboardInterrupt:
        print("interrupted; run the same command again", file=sys.stderr)
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("synth", help="generate photos or line images", add_help=False)
    select.add_arguments(
        commands.add_parser("select", help="choose the lines from which a network can learn")
    )
    prepare.add_line_arguments(
        commands.add_parser("lines", help="prepare your own pictures of lines")
    )
    prepare.add_photo_arguments(commands.add_parser("photos", help="prepare your own photos"))
    fit.add_arguments(commands.add_parser("fit", help="train a run, or resume it"))
    specialize.add_arguments(
        commands.add_parser("specialize", help="make a reader for one product from photos of it")
    )
    weights.add_average_arguments(
        commands.add_parser("average", help="average the weights of runs")
    )
    weights.add_pack_arguments(
        commands.add_parser("pack", help="write a run's weights in half precision")
    )
    teach.add_arguments(commands.add_parser("teach", help="label photos with another OCR engine"))
    language.add_arguments(
        commands.add_parser("language", help="count the trigrams of the language model")
    )
    vocabulary.add_arguments(
        commands.add_parser("vocabulary", help="write the vocabulary of the reader's vote")
    )
    evaluate.add_arguments(commands.add_parser("evaluate", help="measure a run or a bundle"))
    diagnose.add_arguments(
        commands.add_parser("diagnose", help="count errors by the stage that caused them")
    )
    confidence.add_calibrate_arguments(
        commands.add_parser(
            "calibrate", help="calibrate a bundle's confidences on held-back shards"
        )
    )
    confidence.add_reliability_arguments(
        commands.add_parser("reliability", help="compare confidences with accuracy")
    )
    sweep.add_arguments(
        commands.add_parser("sweep", help="choose a bundle's settings on generated photos")
    )
    preview.add_arguments(commands.add_parser("preview", help="draw samples or readings"))
    return parser
