"""``python -m training fit``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.arguments import positive_int
from training.errors import TrainingError
from training.startup import load_keras

if TYPE_CHECKING:
    from training.config import Config

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
    parser.add_argument(
        "--steps", type=positive_int, help="optimizer steps, instead of train.steps"
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="SOURCE",
        help="initial weights, instead of train.init_from: a run, a bundle, or default for the "
        "packaged model",
    )
    parser.add_argument(
        "--charset",
        metavar="DATASET",
        help="characters, instead of model.charset: those of a folder of lines prepare",
    )
    parser.add_argument(
        "--weight",
        nargs="+",
        default=[],
        metavar="FOLDER=NUMBER",
        help="relative frequency of a folder's samples, instead of data.weights",
    )
    parser.add_argument(
        "--patience",
        type=positive_int,
        help="validations without better strings that end the run, instead of train.patience",
    )
    parser.add_argument("--threads", type=positive_int, help="CPU threads of the network")
    parser.set_defaults(call=_fit)


def _fit(options: argparse.Namespace) -> None:
    load_keras()
    from training.config import config_text, load_config
    from training.loop.trainer import Trainer

    config = load_config(options.config)
    changed = _changed(config, options)
    text = Path(options.config).read_text(encoding="utf-8")
    if changed != config:
        text = config_text(changed)
    Trainer(text, options.data, options.run, minutes=options.minutes, command=sys.argv[1:]).run()


def _changed(config: Config, options: argparse.Namespace) -> Config:
    """Return the configuration with the values of the command line."""
    from dataclasses import replace

    train, data, model = config.train, config.data, config.model
    if options.source is not None:
        train = replace(train, init_from=options.source)
    if options.steps is not None:
        train = replace(train, steps=options.steps)
    if options.patience is not None:
        train = replace(train, patience=options.patience)
    if options.weight:
        data = replace(data, weights=dict(map(_weight, options.weight)))
    if options.charset is not None:
        model = replace(model, charset=_characters(Path(options.charset)))
    return replace(config, train=train, data=data, model=model)


def _weight(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        return Path(name).name, float(number)
    except ValueError:
        raise TrainingError(
            f"--weight {text}: want a folder of data and a number, such as own=8."
        ) from None


def _characters(folder: Path) -> str:
    """Return the characters of a prepared folder, in the order of their class numbers."""
    from training.prepare.dataset import MAPS

    path = folder / MAPS[0]
    try:
        numbers = json.loads(path.read_text(encoding="utf-8"))
        return "".join(sorted(numbers, key=numbers.__getitem__))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise TrainingError(
            f"--charset {folder}: no characters in {path} ({error}). Give a folder that "
            "python -m training lines prepare wrote."
        ) from error
