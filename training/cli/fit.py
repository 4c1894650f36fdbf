"""``python -m training fit``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdk.arguments import positive_int
from training.startup import load_keras

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("--config", required=True, help="TOML file, see training/configs")
    parser.add_argument(
        "--data", nargs="+", required=True, help="folders of shards, or with a labels.jsonl"
    )
    parser.add_argument("--run", required=True, help="run folder; an existing run is resumed")
    parser.add_argument(
        "--minutes", type=float, help="greatest training time; the learning rate decays over it"
    )
    parser.add_argument("--threads", type=positive_int, help="CPU threads of the network")
    parser.set_defaults(call=_fit)


def _fit(options: argparse.Namespace) -> None:
    load_keras()
    from training.config import load_config
    from training.loop.trainer import Trainer

    load_config(options.config)
    text = Path(options.config).read_text(encoding="utf-8")
    Trainer(text, options.data, options.run, minutes=options.minutes, command=sys.argv[1:]).run()
