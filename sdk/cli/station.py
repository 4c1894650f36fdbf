"""`fots-lite station`: run an inspection station without a screen."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.cli.log import logger
from sdk.cli.options import add_command
from sdk.cli.signals import stopped_by_signals
from sdk.cli.status import FAILED, OK
from sdk.terminal import json_line, printable

if TYPE_CHECKING:
    from sdk.station import Verdict


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "station", "Run an inspection station without a screen.")
    parser.set_defaults(run=run)
    parser.add_argument("config", metavar="CONFIG", type=Path, help="TOML file of the settings")
    parser.add_argument("--json", action="store_true", help="print one JSON object per verdict")


def run(args: argparse.Namespace) -> int:
    """Inspect until the file ends or a signal comes, and return 1 after any loss, else 0."""
    # late imports, because --help and wrong usage must not wait for OpenCV
    from sdk.station import History, JobReaders, Outputs, Station
    from sdk.station.config import choose_job, load_config

    config = load_config(args.config)
    folder = args.config.parent
    job = choose_job(config, folder)
    with contextlib.ExitStack() as stack:
        stopped = stack.enter_context(stopped_by_signals())
        readers = stack.enter_context(JobReaders(config, folder))
        history = None
        if config.history:
            history = History(
                folder / config.history, pictures=config.pictures, quota_mb=config.quota_mb
            )
            stack.enter_context(history)
        outputs = stack.enter_context(Outputs(config.outputs))
        console = _Console(as_json=args.json)
        station = Station(
            readers,
            config.camera,
            job,
            history=history,
            outputs=outputs,
            every=config.every,
            vote=config.vote,
            on_verdict=console.on_verdict,
            on_state=console.on_state,
        )
        with station:
            while not (stopped.is_set() or console.error or station.wait(0.2)):
                pass
        if console.error is not None:
            raise console.error
        counters = station.counters
    lost = console.skipped + counters["lost_history"] + counters["errors"]
    for name, counts in outputs.counts().items():
        logger.info("Output %s: %s", name, counts)
        lost += counts["failed"] + counts["dropped"]
    logger.info("Stopped: %s", ", ".join(f"{count} {name}" for name, count in counters.items()))
    return FAILED if lost else OK


class _Console:
    """Prints the verdicts and states of a station, in the station's thread.

    Attributes:
        skipped: Number of pictures that could not be read.
        error: Why verdicts cannot be printed. The command's thread raises this error, because a
            station only logs exceptions of its callbacks.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.skipped = 0
        self.error: OSError | None = None
        self._to_line = _json_line if as_json else _text_line

    def on_verdict(self, verdict: Verdict, record: int | None) -> None:
        try:
            print(self._to_line(verdict, record), flush=True)
        except OSError as error:
            self.error = error

    def on_state(self, kind: str, message: str) -> None:
        self.skipped += kind == "skipped"
        if message:
            logger.warning("%s", message)
        elif kind in ("open", "history"):
            logger.info("%s", "The camera is open." if kind == "open" else "Verdicts are recorded.")


def _text_line(verdict: Verdict, record: int | None) -> str:
    text = " / ".join(verdict.reading.texts)
    return "\t".join(map(printable, (verdict.status.upper(), text, "; ".join(verdict.reasons))))


def _json_line(verdict: Verdict, record: int | None) -> str:
    return json_line({"id": record, **verdict.to_dict()})
