"""``python -m training fit``."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.arguments import positive_int
from sdk.charsets import CHARSETS
from training.data.dataset import check_weights
from training.errors import TrainingError
from training.startup import load_keras

if TYPE_CHECKING:
    from training.config import Config

__all__ = ["add_arguments", "changed"]


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
        metavar="NAME",
        help="characters, instead of model.charset: those of a folder that lines prepare wrote, or "
        f"of a charset by its name ({', '.join(CHARSETS)})",
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
    group = parser.add_argument_group(
        "several processes, on JAX or PyTorch; all must see data and run folder"
    )
    group.add_argument(
        "--workers",
        metavar="N|HOSTS|ray://HOST:PORT",
        help="processes on this machine; file with a host, reached by SSH, on each line; or a Ray "
        "cluster, one process on each node",
    )
    group.add_argument(
        "--world",
        type=_world,
        metavar="[MIN:]MAX",
        help="number of processes (default: all of --workers)",
    )
    group.add_argument(
        "--divide-data",
        action="store_true",
        help="each process keeps its part of the samples in memory (data.divide); the batches then "
        "depend on the number of processes",
    )
    group.add_argument(
        "--max-failures",
        type=int,
        default=3,
        metavar="N",
        help="how often lost processes are started again (default: %(default)s)",
    )
    group.add_argument(
        "--port", type=positive_int, default=7001, help="port of the first (default: %(default)s)"
    )
    # of the processes that --workers starts
    group.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    group.add_argument("--coordinator", help=argparse.SUPPRESS)
    parser.set_defaults(call=_fit)


def _world(text: str) -> tuple[int | None, int]:
    least, colon, most = text.rpartition(":")
    try:
        return (positive_int(least) if colon else None), positive_int(most)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; give MAX or MIN:MAX") from error


def _fit(options: argparse.Namespace) -> int | None:
    if options.workers is not None:
        return _supervise(options)
    load_keras()
    from training.config import config_text, load_config
    from training.loop.trainer import Trainer

    config = load_config(options.config)
    text = Path(options.config).read_text(encoding="utf-8")
    if (other := changed(config, options)) != config:
        text = config_text(other)
    folders = options.data, options.run
    if options.coordinator is None:
        Trainer(text, *folders, minutes=options.minutes, command=sys.argv[1:]).run()
        return None
    from training.data.share import Share
    from training.loop.group import joined_group

    with joined_group(Share(options.rank, options.world[1]), options.coordinator) as group:
        trainer = Trainer(
            text, *folders, minutes=options.minutes, command=sys.argv[1:], group=group
        )
        trainer.run()
    return None


def _supervise(options: argparse.Namespace) -> int:
    from training.config import load_config
    from training.loop.hosts import Place, read_hosts
    from training.loop.ray_nodes import SCHEME, ray_nodes
    from training.loop.supervisor import Plan, supervise

    changed(load_config(options.config), options)  # an error costs no start of processes
    by_ray = options.workers.startswith(SCHEME)
    with contextlib.ExitStack() as connection:
        hosts: Iterable[Place] = (
            connection.enter_context(ray_nodes(options.workers))
            if by_ray
            else read_hosts(options.workers)
        )
        least, most = options.world or (None, sum(host.processes for host in hosts))
        least = most if least is None else least
        plan = Plan(hosts, least, most, options.max_failures, options.port)
        return supervise(_command(options), plan)


def _command(options: argparse.Namespace) -> list[str]:
    """Return the command line of a process, but for its place among the others."""
    command = [sys.executable, "-m", "training", "fit", "--config", options.config]
    command += ["--data", *options.data, "--run", options.run]
    for name, value in (
        ("minutes", options.minutes),
        ("threads", options.threads),
        ("steps", options.steps),
        ("patience", options.patience),
        ("from", options.source),
        ("charset", options.charset),
    ):
        if value is not None:
            command += [f"--{name}", str(value)]
    if options.weight:
        command += ["--weight", *options.weight]
    if options.divide_data:
        command += ["--divide-data"]
    return command


def changed(config: Config, options: argparse.Namespace) -> Config:
    """Return the configuration with the values of the command line.

    Raises:
        TrainingError: A value is illegal, or a folder has no characters.
    """
    train, data, model = config.train, config.data, config.model
    if options.source is not None:
        train = replace(train, init_from=options.source)
    if options.steps is not None:
        train = replace(train, steps=options.steps)
    if options.patience is not None:
        train = replace(train, patience=options.patience)
    if options.weight:
        data = replace(data, weights=dict(map(_weight, options.weight)))
        fault = "--weight {}: no folder of --data has this name"
        check_weights(data.weights, [Path(folder) for folder in options.data], fault)
    if options.divide_data:
        data = replace(data, divide=True)
    if options.charset is not None:
        named = options.charset in CHARSETS
        charset = options.charset if named else _characters(Path(options.charset))
        model = replace(model, charset=charset)
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
            "python -m training lines prepare wrote, or the name of a charset."
        ) from error
