"""``python -m convert export``."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.cli.arguments import say, size
from convert.cli.verification import add_sample_arguments, floors_of, print_reports
from convert.errors import ConvertError
from convert.source.graphs import GRAPHS
from convert.tflite.conversion import PRECISIONS
from sdk.arguments import positive_int
from training.startup import load_keras

if TYPE_CHECKING:
    from sdk.model.settings import DecodeSettings

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="run folders; later runs take precedence")
    add("--precision", nargs="+", choices=PRECISIONS, default=["int8"], help="variants to write")
    add(
        "--graphs",
        nargs="+",
        choices=list(GRAPHS),
        default=[],
        help="graphs to convert (default: all)",
    )
    add("--out", type=Path, required=True, metavar="BUNDLE", help="bundle to write")
    add("--force", action="store_true", help="replace an existing bundle")
    add("--tuned", type=Path, metavar="DIR", help="tuned graphs for the int8 variant")
    add(
        "--detector",
        type=Path,
        metavar="BUNDLE",
        help="copy the detector of this bundle and its settings",
    )
    add(
        "--detector-of",
        default="",
        metavar="NAME",
        help="use the detector of this installed bundle",
    )
    add("--line", type=Path, metavar="BUNDLE", help="copy the line graph of this bundle")
    add("--default", choices=PRECISIONS, default="", help="variant that the SDK opens by default")
    add("--name", default="", help="name of the bundle (default: its folder's)")
    add("--version", default="1", help="version of the bundle (default: 1)")
    add("--frame", type=size, default=(640, 640), metavar="WIDTHxHEIGHT", help="detector's input")
    add("--columns", type=positive_int, default=64, help="static columns of the recognizer")
    add("--line-width", type=positive_int, default=256, help="static width of the line graph, px")
    add("--strip-width", type=positive_int, help=argparse.SUPPRESS)  # the name until 0.1
    add(
        "--decode",
        nargs="+",
        type=_setting,
        default=[],
        metavar="NAME=VALUE",
        help="settings of decoding other than the default, such as detect.score_threshold=0.4",
    )
    add_sample_arguments(parser)
    add(
        "--calibration-count",
        type=positive_int,
        default=200,
        metavar="N",
        help="greatest number of samples of a kind",
    )
    add(
        "--compare",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="labeled sets that the packaged model and the new bundle read at the end; of prepared "
        "folders the test split",
    )
    parser.set_defaults(call=_export)


def _setting(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    try:
        if not separator:
            raise ValueError
        return name, json.loads(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a setting; write NAME=VALUE") from None


def _decode_settings(options: argparse.Namespace) -> DecodeSettings:
    from sdk.errors import ModelError
    from sdk.model.bundle import read_manifest
    from sdk.model.schema1 import translated
    from sdk.model.settings import DecodeSettings

    settings = DecodeSettings()
    try:
        if options.detector is not None:
            # thresholds belong to the weights
            copied = read_manifest(options.detector)[1].decode.detect
            settings = replace(settings, detect=copied)
        return settings.changed({translated(k): value for k, value in options.decode})
    except ModelError as error:
        raise ConvertError(str(error)) from error


def _tune_advice(options: argparse.Namespace) -> str:
    if options.tuned:
        return "Tune longer, or on more pictures: python -m convert tune --steps 2000"
    runs = " ".join(map(str, options.runs))
    return (
        f"Tune it: python -m convert tune {runs} --photos DATA --out tuned, then export with "
        "--tuned tuned"
    )


def _export(options: argparse.Namespace) -> int:
    load_keras()
    from convert.export.export import BelowFloorError, Options, export
    from convert.source.run import open_run
    from convert.verify.floors import losses

    if options.strip_width:
        say("--strip-width is deprecated: use --line-width")
    how = Options(
        precisions=tuple(dict.fromkeys(options.precision)),
        graphs=tuple(options.graphs),
        frame=options.frame,
        columns=options.columns,
        line_width=options.strip_width or options.line_width,
        calibration=tuple(options.calibration),
        count=options.calibration_count,
        held_back=options.count,
        photos=tuple(options.photos),
        tuned=options.tuned,
        detector=options.detector,
        detector_of=options.detector_of,
        line=options.line,
        name=options.name,
        version=options.version,
        default_variant=options.default,
        decode=_decode_settings(options),
        floors=floors_of(options),
        force=options.force,
    )
    how.check()
    sets = _compared(options)
    try:
        reports = export([open_run(run) for run in options.runs], options.out, how, say)
    except BelowFloorError as error:
        print_reports(error.reports)
        raise
    print_reports(reports)
    for name, report in reports.items():
        for sentence in losses(report):
            say(f"warning: {name}: {sentence}. {_tune_advice(options)}")
    say(f"wrote {options.out}")
    if sets:
        from convert.compare.compare import entries_of
        from convert.compare.results import write_comparison
        from sdk.model.bundle import DEFAULT_BUNDLE

        entries = entries_of([DEFAULT_BUNDLE, options.out])
        print(write_comparison(entries, sets, options.out / "compare", say))
    return 0


def _compared(options: argparse.Namespace) -> list[Path]:
    """Return the sets of the comparison, which are searched before the work begins.

    Raises:
        ConvertError: A folder holds no set, or the bundle has the name of the packaged one.
    """
    from convert.compare.results import sets_of
    from sdk.model.bundle import DEFAULT_BUNDLE

    if options.compare and options.out.resolve().name == DEFAULT_BUNDLE.name:
        raise ConvertError(
            f"--out {options.out} has the name of the packaged model, with which --compare "
            "compares it. Choose another name."
        )
    return sets_of(options.compare)
