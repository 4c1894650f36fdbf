"""Common parts of ``export`` and ``verify``: samples, floors and printed reports."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.arguments import positive_int, share

if TYPE_CHECKING:
    from convert.verify.floors import Floor
    from convert.verify.report import Report

__all__ = ["add_sample_arguments", "floors_of", "print_reports"]


def add_sample_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sources of samples and the floors."""
    add = parser.add_argument
    add(
        "--calibration",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="folders of shards or pictures (default: generated pictures)",
    )
    add(
        "--photos",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="additional folders for the comparison, with or without labels",
    )
    add(
        "--count",
        type=positive_int,
        default=64,
        metavar="N",
        help="greatest number of samples of a kind in a comparison",
    )
    add("--min-same", type=share, metavar="SHARE", help="least share of lines with the same text")
    add("--max-lost", type=share, metavar="SHARE", help="greatest net share of right lines lost")
    add("--min-correlation", type=share, metavar="R", help="least correlation of a tensor")


def floors_of(options: argparse.Namespace) -> dict[str, Floor]:
    """Return the floors by precision, with the values of the command line."""
    from convert.verify.floors import FLOORS

    asked = {
        "same": options.min_same,
        "lost": options.max_lost,
        "correlation": options.min_correlation,
    }
    given = {key: value for key, value in asked.items() if value is not None}
    return {precision: replace(floor, **given) for precision, floor in FLOORS.items()}


def print_reports(reports: dict[str, dict[str, Report]]) -> None:
    """Print a table for each set of samples."""
    from convert.verify.report import report_table

    for name, report in reports.items():
        print(f"[{name}]\n{report_table(report)}\n")
