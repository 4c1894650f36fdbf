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
    group = parser.add_argument_group("several processes, on JAX; all must see data and run folder")
    group.add_argument(
        "--workers",
        metavar="N|HOSTS",
        help="processes on this machine, or file with a host, reached by SSH, on each line",
    )
    group.add_argument(
        "--world",
        type=_world,
        metavar="[MIN:]MAX",
        help="number of processes (default: all of --workers)",
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
    from training.config import load_config
    from training.loop.trainer import Trainer

    load_config(options.config)
    text = Path(options.config).read_text(encoding="utf-8")
    folders = options.data, options.run
    if options.coordinator is None:
        Trainer(text, *folders, minutes=options.minutes, command=sys.argv[1:]).run()
        return None
    from training.data.share import Share
    from training.loop.group import Group, ended_with_the_others

    with ended_with_the_others():
        group = Group(Share(options.rank, options.world[1]), options.coordinator)
        trainer = Trainer(
            text, *folders, minutes=options.minutes, command=sys.argv[1:], group=group
        )
        trainer.run()
    return None


def _supervise(options: argparse.Namespace) -> int:
    from training.config import load_config
    from training.loop.supervisor import Plan, read_hosts, supervise

    load_config(options.config)  # an error costs no start of processes
    hosts = read_hosts(options.workers)
    there = sum(host.processes for host in hosts)
    least, most = options.world or (None, there)
    command = [sys.executable, "-m", "training", "fit", "--config", options.config]
    command += ["--data", *options.data, "--run", options.run]
    if options.minutes is not None:
        command += ["--minutes", str(options.minutes)]
    if options.threads is not None:
        command += ["--threads", str(options.threads)]
    least = most if least is None else least
    return supervise(command, Plan(hosts, least, most, options.max_failures, options.port))
