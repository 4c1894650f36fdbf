"""`fots-lite station`: run an inspection station without a screen."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.cli.log import logger, native_notes_to_log
from sdk.cli.options import add_command
from sdk.cli.signals import stopped_by_signals
from sdk.cli.status import FAILED, OK

if TYPE_CHECKING:
    from sdk.station import Verdict


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "station", "Run an inspection station without a screen.")
    parser.set_defaults(run=run)
    parser.add_argument("config", metavar="CONFIG", type=Path, help="its settings, a TOML file")
    parser.add_argument("--json", action="store_true", help="print verdicts as JSON, one on a line")


def run(args: argparse.Namespace) -> int:
    """Inspect until the camera's file ends, or until SIGTERM or SIGINT."""
    # Late: --help and wrong usage must not wait for OpenCV.
    from sdk.reader import Reader
    from sdk.station import History, Outputs, Station
    from sdk.station.config import choose_job, load_config

    config = load_config(args.config)
    folder = args.config.parent
    job = choose_job(config, folder)
    with contextlib.ExitStack() as stack:
        with native_notes_to_log():
            model = folder / config.model if config.model else None
            reader = Reader(model, device=config.device, threads=config.threads or None)
        stack.enter_context(reader)
        history = None
        if config.history:
            history = History(
                folder / config.history, pictures=config.pictures, quota_mb=config.quota_mb
            )
            stack.enter_context(history)
        outputs = stack.enter_context(Outputs(config.outputs))
        station = Station(
            reader,
            config.camera,
            job,
            history=history,
            outputs=outputs,
            every=config.every,
            vote=config.vote,
            on_verdict=_print_json if args.json else _print_text,
            on_state=_log_state,
        )
        stopped = stack.enter_context(stopped_by_signals())
        with station:
            while not stopped.is_set() and not station.wait(0.2):
                pass
        counters = station.counters
    for name, counts in outputs.counts().items():
        logger.info("Output %s: %s", name, counts)
    logger.info("Stopped: %s", ", ".join(f"{count} {name}" for name, count in counters.items()))
    return FAILED if counters["lost_history"] else OK


def _print_text(verdict: Verdict, record: int | None) -> None:
    text = " / ".join(verdict.reading.texts)
    reasons = "; ".join(verdict.reasons)
    print(verdict.status.upper(), text, reasons, sep="\t")
    sys.stdout.flush()


def _print_json(verdict: Verdict, record: int | None) -> None:
    row = {"id": record, **verdict.to_dict()}
    print(json.dumps(row, ensure_ascii=False, allow_nan=False))
    sys.stdout.flush()


def _log_state(kind: str, message: str) -> None:
    if message:
        logger.warning("%s", message)
    elif kind in ("open", "history"):
        logger.info("%s", "The camera is open." if kind == "open" else "Verdicts are recorded.")
