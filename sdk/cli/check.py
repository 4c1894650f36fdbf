"""`fots-lite check`: a test of the installation with a picture whose text is known."""

from __future__ import annotations

import argparse

from sdk.cli.devices import device_rows, survey
from sdk.cli.options import add_command, add_reader_options, open_reader
from sdk.cli.status import FAILED, OK
from sdk.selftest import SAMPLE_TEXTS, compare, draw_sample, same


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    summary = "Test the installation: read a picture whose text is known."
    parser = add_command(commands, "check", summary)
    parser.set_defaults(run=run)
    add_reader_options(parser)


def run(args: argparse.Namespace) -> int:
    """Read the sample, print the expected and the read lines, and return 0 if they are equal.

    The usable devices are printed too. An unusable device is a failure only if it was requested.
    """
    with open_reader(args) as reader:
        reading = reader.read(draw_sample())
    rows = compare(SAMPLE_TEXTS, reading.texts)
    print(f"model {reading.model} on {reading.device}, {reading.timing.total_ms:.0f} ms")
    print(f"{'':<8}{'expected':<20}read")
    for expected, found in rows:
        verdict = "ok" if same(expected, found) else "DIFFERS"
        print(f"{verdict:<8}{_shown(expected):<20}{_shown(found)}")
    passed = all(same(expected, found) for expected, found in rows)
    print("\n".join(f"{name:<16}{text}" for name, text in device_rows(survey(args))))
    print("The installation works." if passed else "The installation reads wrong text.")
    return OK if passed else FAILED


def _shown(text: str | None) -> str:
    return "-" if text is None else text
