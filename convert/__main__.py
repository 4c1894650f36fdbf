"""Command line: ``python -m convert tune|export|verify|compare|inspect|edgetpu``.

Standard output carries the tables, standard error the progress. Exit codes: 0 done, 1 the
conversion failed or a variant is below its floor, 2 wrong usage, 3 a package is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError
from convert.graphs import GRAPHS
from convert.tflite import PRECISIONS
from sdk.arguments import (positive_int)
from training.startup import MISSING, load_keras, missing_package

if TYPE_CHECKING:
    from convert.verify import Floor, Report
    from sdk.model.settings import DecodeSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments without the program's name; None takes those of the process.
    """
    # The converter belongs to TensorFlow, whatever a run was trained with.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a few hundred pictures; the CPU is there at once
    try:
        options = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong, or printed the help
        return int(stop.code or 0)
    try:
        return int(options.call(options))
    except ConvertError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {missing_package(error, 'convert')}", file=sys.stderr)
        return MISSING
    except KeyboardInterrupt:
        print("interrupted; what was there is unchanged", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m convert", description="Convert training runs to bundles the SDK reads."
    )
    names = "tune|export|verify|compare|inspect|edgetpu"
    commands = parser.add_subparsers(dest="command", required=True, metavar=names)
    _tune_parser(commands.add_parser("tune", help="fit a run's graphs to integer arithmetic"))
    _export_parser(commands.add_parser("export", help="convert, verify and write a bundle"))
    _verify_parser(commands.add_parser("verify", help="compare a bundle with its runs again"))
    _compare_parser(commands.add_parser("compare", help="size, time, memory and accuracy"))
    _inspect_parser(commands.add_parser("inspect", help="say what is in TFLite files"))
    _edgetpu_parser(commands.add_parser("edgetpu", help="check and compile for the Edge TPU"))
    return parser


def _tune_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="run folders; later ones win")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the tuned graphs")
    add("--force", action="store_true", help="replace a folder of tuned graphs that is there")
    add(
        "--photos",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="shards or pictures to tune on, labelled or not (default: the generator draws some)",
    )
    add("--graphs", nargs="+", choices=list(GRAPHS), default=[], help="default: all of the runs")
    add(
        "--steps",
        type=positive_int,
        default=400,
        help="optimizer steps of each graph (default: 400)",
    )
    add(
        "--count",
        type=positive_int,
        default=200,
        metavar="N",
        help="most photos, and a tenth of the most strips",
    )
    add("--frame", type=_size, default=(640, 640), metavar="WIDTHxHEIGHT", help="detector's input")
    add("--crop", type=positive_int, default=256, metavar="PX", help="side of the detector's crops")
    add("--batch", type=positive_int, default=4, metavar="N", help="crops of a batch")
    add("--rate", type=float, default=0.01, help="grid steps a weight moves in the fastest step")
    add("--seed", type=int, default=1)
    parser.set_defaults(call=_tune)


def _export_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="run folders; later ones win")
    add("--precision", nargs="+", choices=PRECISIONS, default=["int8"], help="variants to make")
    add("--graphs", nargs="+", choices=list(GRAPHS), default=[], help="default: all of the runs")
    add("--out", type=Path, required=True, metavar="BUNDLE", help="folder to write")
    add("--force", action="store_true", help="replace a bundle that is there")
    add("--tuned", type=Path, metavar="DIR", help="tuned graphs for the int8 variant")
    add("--detector", type=Path, metavar="BUNDLE", help="take the detector of this bundle over")
    add("--line", type=Path, metavar="BUNDLE", help="take the graph of lines of this bundle over")
    add("--default", choices=PRECISIONS, default="", help="variant the SDK opens")
    add("--name", default="", help="name of the bundle (default: its folder's)")
    add("--version", default="1", help="version of the bundle (default: 1)")
    add("--frame", type=_size, default=(640, 640), metavar="WIDTHxHEIGHT", help="detector's input")
    add("--columns", type=positive_int, default=64, help="static columns of the recognizer")
    add("--strip-width", type=positive_int, default=256, help="static width of the line graph, px")
    add(
        "--decode",
        nargs="+",
        type=_setting,
        default=[],
        metavar="NAME=VALUE",
        help="thresholds of the SDK's decoding, such as score_threshold=0.4",
    )
    _sample_arguments(parser)
    add(
        "--calibration-count",
        type=positive_int,
        default=200,
        metavar="N",
        help="most samples of a kind",
    )
    parser.set_defaults(call=_export)


def _verify_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("bundle", type=Path, metavar="BUNDLE")
    add("runs", nargs="+", type=Path, metavar="RUN", help="the runs it was exported from")
    _sample_arguments(parser)
    add("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(call=_verify)


def _sample_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--calibration",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="folders of shards or pictures (default: pictures drawn by the generator)",
    )
    add(
        "--photos",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="further folders to compare on, labelled or not",
    )
    add(
        "--count",
        type=positive_int,
        default=64,
        metavar="N",
        help="most samples of a kind to compare on",
    )
    add("--min-same", type=_share, metavar="SHARE", help="least share of lines that read the same")
    add("--max-lost", type=_share, metavar="SHARE", help="greatest share of right lines to lose")
    add("--min-correlation", type=_share, metavar="R", help="least correlation of any tensor")


def _compare_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("bundles", nargs="+", type=Path, metavar="BUNDLE")
    add("--data", nargs="+", type=Path, required=True, metavar="DIR", help="labelled sets")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    add("--force", action="store_true", help="replace the results of another comparison")
    add("--variants", nargs="+", default=[], metavar="NAME", help="only these (default: all)")
    add("--limit", type=positive_int, metavar="N", help="most pictures of each set")
    add("--threads", type=positive_int, metavar="N", help="CPU threads (default: the SDK's)")
    parser.set_defaults(call=_compare)


def _edgetpu_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("path", type=Path, metavar="BUNDLE|FILE")
    add("--variant", default="int8", metavar="NAME", help="variant to compile (default: int8)")
    add("--out", type=Path, metavar="BUNDLE", help="bundle to write (default: the same)")
    add("--force", action="store_true", help="replace a bundle that is there")
    add("--check-only", action="store_true", help="say what would run where, compile nothing")
    add("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(call=_edgetpu)


def _inspect_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="FILE|BUNDLE")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(call=_inspect)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it as 640x640")
    return int(match[2]), int(match[1])


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return value


def _setting(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    try:
        if not separator:
            raise ValueError
        return name, json.loads(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no setting; write NAME=VALUE") from None


def _decode_settings(options: argparse.Namespace) -> DecodeSettings:
    from sdk.errors import ModelError
    from sdk.model.settings import DecodeSettings

    try:
        return DecodeSettings.from_dict(dict(options.decode))
    except ModelError as error:
        raise ConvertError(str(error)) from error


def _floors(options: argparse.Namespace) -> dict[str, Floor]:
    from convert.verify import FLOORS

    asked = {
        "same": options.min_same,
        "lost": options.max_lost,
        "correlation": options.min_correlation,
    }
    given = {key: value for key, value in asked.items() if value is not None}
    return {precision: replace(floor, **given) for precision, floor in FLOORS.items()}


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _tune(options: argparse.Namespace) -> int:
    load_keras()
    from convert.source import open_run
    from convert.tune import Tuning, tune

    how = Tuning(
        steps=options.steps,
        photos=tuple(options.photos),
        graphs=tuple(options.graphs),
        count=options.count,
        frame=options.frame,
        crop=options.crop,
        batch=options.batch,
        rate=options.rate,
        seed=options.seed,
    )
    how.check()
    runs = [open_run(run) for run in options.runs]
    records = tune(runs, options.out, how, options.force, _say)
    print(f"{'graph':<12}{'steps':>7}{'seconds':>9}{'distance before':>17}{'after':>10}")
    for name, record in records.items():
        before, after = (record["distance"][key] for key in ("before", "after"))
        print(f"{name:<12}{record['steps']:>7}{record['seconds']:>9}{before:>17.4f}{after:>10.4f}")
    _say(f"wrote {options.out}")
    return 0


def _export(options: argparse.Namespace) -> int:
    load_keras()
    from convert.export import BelowFloorError, Options, export
    from convert.source import open_run

    how = Options(
        precisions=tuple(dict.fromkeys(options.precision)),
        graphs=tuple(options.graphs),
        frame=options.frame,
        columns=options.columns,
        strip_width=options.strip_width,
        calibration=tuple(options.calibration),
        count=options.calibration_count,
        held_back=options.count,
        photos=tuple(options.photos),
        tuned=options.tuned,
        detector=options.detector,
        line=options.line,
        name=options.name,
        version=options.version,
        default_variant=options.default,
        decode=_decode_settings(options),
        floors=_floors(options),
        force=options.force,
    )
    how.check()
    try:
        reports = export([open_run(run) for run in options.runs], options.out, how, _say)
    except BelowFloorError as error:
        _print_reports(error.reports)
        raise
    _print_reports(reports)
    _say(f"wrote {options.out}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    load_keras()
    from convert.samples import VERIFICATION_SEED, by_name, gather, generate
    from convert.source import merge, open_run
    from convert.verify import (
        bundle_frame,
        bundle_manifest,
        shortfalls,
        variants_left_out,
        verify_bundle,
    )

    drawn = () if options.calibration else ("generated",)
    folders = by_name([*options.calibration, *options.photos], *drawn)
    models, _ = merge([open_run(run) for run in options.runs])
    manifest = bundle_manifest(options.bundle)
    for variant in variants_left_out(manifest):
        _say(f"{variant}: left out, it is compiled for a device")
    frame, settings, count = bundle_frame(manifest), manifest.decode, options.count
    sets = {name: gather([path], count, count, frame, settings) for name, path in folders.items()}
    for name in drawn:
        sets[name] = generate(count, count, frame, VERIFICATION_SEED, settings)
    reports = {name: verify_bundle(options.bundle, models, part) for name, part in sets.items()}
    if options.json:
        print(json.dumps(_plain(reports), indent=2))
    else:
        _print_reports(reports)
    floors = _floors(options)
    found = [f"{name}: {s}" for name, report in reports.items() for s in shortfalls(report, floors)]
    if found:
        raise ConvertError("The bundle is below its floors:\n  " + "\n  ".join(found))
    return 0


def _plain(reports: dict[str, dict[str, Report]]) -> dict[str, Any]:
    return {
        name: {variant: r.to_dict() for variant, r in report.items()}
        for name, report in reports.items()
    }


def _print_reports(reports: dict[str, dict[str, Report]]) -> None:
    from convert.verify import report_table

    for name, report in reports.items():
        print(f"[{name}]\n{report_table(report)}\n")


def _compare(options: argparse.Namespace) -> int:
    from convert.compare import compare, entries_of
    from convert.compare_report import as_csv, as_picture, as_text
    from sdk.errors import SdkError
    from sdk.files import write_atomically
    from training.errors import TrainingError
    from training.evaluate import find_sets

    entries = entries_of(options.bundles, options.variants)
    try:
        sets = [path for folder in options.data for path in find_sets(folder)]
    except TrainingError as error:
        raise ConvertError(str(error)) from error
    rows = compare(entries, sets, options.out, options.limit, options.threads, _say, options.force)
    text = as_text(entries, rows)
    try:
        write_atomically(options.out / "compare.txt", (text + "\n").encode())
        write_atomically(options.out / "compare.csv", as_csv(entries, rows).encode())
        write_atomically(options.out / "compare.png", as_picture(entries, rows))
    except SdkError as error:
        raise ConvertError(str(error)) from error
    print(text)
    return 0


def _edgetpu(options: argparse.Namespace) -> int:
    from convert.edgetpu import check, check_record, check_table, compile_bundle, mapped_share
    from convert.inspect import inspect_variant

    graphs = inspect_variant(options.path, options.variant)
    if options.json:
        print(json.dumps(check_record(graphs), indent=2))
    else:
        print("\n\n".join(check_table(graph) for graph in graphs))
    if options.check_only or not options.path.is_dir():
        return 1 if any(check(graph) for graph in graphs) else 0
    target = options.out or options.path
    force = options.force or options.out is None
    reports = compile_bundle(options.path, target, options.variant, force=force)
    tell = _say if options.json else print
    for role, report in reports.items():
        tell(f"{role}: {mapped_share(report):.0%} of the operations mapped by the compiler")
    _say(f"wrote {target}")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    from convert.inspect import inspect_path, table

    graphs = inspect_path(options.path)
    if options.json:
        print(json.dumps([graph.to_dict() for graph in graphs], indent=2))
    else:
        print("\n\n".join(table(graph) for graph in graphs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
