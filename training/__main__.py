"""Command line: ``python -m training synth|fit|evaluate|preview``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from training.errors import TrainingError
from training.shards import ShardError


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, help="TOML file, see training/configs")
    parser.add_argument("--data", required=True, help="folder of shards")
    parser.add_argument("--run", required=True, help="run folder; a run that is there goes on")
    parser.add_argument("--minutes", type=float, help="end, learning rate included, after so long")
    parser.add_argument("--threads", type=int, help="CPU threads of the network")


def _fit(options: argparse.Namespace) -> None:
    if options.threads:
        # read by TensorFlow when it is imported
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(options.threads)
    from training.config import load_config
    from training.fit import Fit

    load_config(options.config)
    with open(options.config, encoding="utf-8") as file:
        text = file.read()
    Fit(text, options.data, options.run, minutes=options.minutes, command=sys.argv[1:]).run()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code: 0 ok, 1 failed, 2 wrong usage."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["synth"]:
        from training.synth.cli import main as synth

        return int(synth(arguments[1:]) or 0)
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("synth", help="generate photos or strips", add_help=False)
    fit = commands.add_parser("fit", help="train, or go on with, a run")
    _fit_arguments(fit)
    fit.set_defaults(call=_fit)
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        options.call(options)
    except (TrainingError, ShardError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
