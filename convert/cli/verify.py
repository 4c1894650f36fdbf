"""``python -m convert verify``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.cli.arguments import say
from convert.cli.verification import add_sample_arguments, floors_of, print_reports
from convert.errors import ConvertError
from training.startup import load_keras

if TYPE_CHECKING:
    from convert.verify.report import Report

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    add = parser.add_argument
    add("bundle", type=Path, metavar="BUNDLE")
    add("runs", nargs="+", type=Path, metavar="RUN", help="runs of the bundle")
    add_sample_arguments(parser)
    add("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(call=_verify)


def _verify(options: argparse.Namespace) -> int:
    load_keras()
    from convert.source.run import merge, open_run
    from convert.source.samples import VERIFICATION_SEED, by_name, gather, generate
    from convert.verify.floors import shortfalls
    from convert.verify.verify import (
        bundle_frame,
        bundle_manifest,
        variants_left_out,
        verify_bundle,
    )

    drawn = () if options.calibration else ("generated",)
    folders = by_name([*options.calibration, *options.photos], *drawn)
    models, _ = merge([open_run(run) for run in options.runs])
    manifest = bundle_manifest(options.bundle)
    for variant in variants_left_out(manifest):
        say(f"{variant}: left out, compiled for a device")
    frame, settings, count = bundle_frame(manifest), manifest.decode, options.count
    sets = {name: gather([path], count, count, frame, settings) for name, path in folders.items()}
    for name in drawn:
        sets[name] = generate(count, count, frame, VERIFICATION_SEED, settings)
    reports = {name: verify_bundle(options.bundle, models, part) for name, part in sets.items()}
    if options.json:
        print(json.dumps(_plain(reports), indent=2))
    else:
        print_reports(reports)
    floors = floors_of(options)
    found = [f"{name}: {s}" for name, report in reports.items() for s in shortfalls(report, floors)]
    if found:
        raise ConvertError("The bundle is below its floors:\n  " + "\n  ".join(found))
    return 0


def _plain(reports: dict[str, dict[str, Report]]) -> dict[str, Any]:
    return {
        name: {variant: r.to_dict() for variant, r in report.items()}
        for name, report in reports.items()
    }
