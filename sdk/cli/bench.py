"""`fots-lite bench`: how long this machine takes to read a picture, and how much memory."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdk.cli.log import logger
from sdk.cli.options import (
    add_command,
    add_reader_options,
    open_reader,
    positive_int,
    print_json,
)
from sdk.cli.sample import draw_sample
from sdk.cli.status import OK
from sdk.image.load import load_image

if TYPE_CHECKING:
    from sdk.image.load import ImageSource
    from sdk.results import Timing

STAGES = ("load_ms", "detect_ms", "recognize_ms", "recheck_ms", "total_ms")


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 90th percentile of some times in milliseconds."""

    median: float
    p90: float


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "bench", "Measure how fast this machine reads.")
    parser.set_defaults(run=run)
    parser.add_argument("image", nargs="?", help="picture to read (default: one drawn by itself)")
    parser.add_argument("--runs", type=positive_int, default=20, metavar="N", help="default: 20")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_reader_options(parser)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    source: ImageSource = draw_sample() if args.image is None else args.image
    height, width = load_image(source).shape[:2]  # a bad picture fails before the model is loaded
    start = time.perf_counter()
    with open_reader(args) as reader:
        open_ms = 1000 * (time.perf_counter() - start)
        first = reader.read(source)
        if not first:
            logger.warning("No text found in the picture: reading lines is not measured.")
        spreads = summarize([reader.read(source).timing for _ in range(args.runs)])
    result: dict[str, Any] = {
        "image": args.image or "drawn sample",
        "width": width,
        "height": height,
        "lines": len(first),
        "model": first.model,
        "device": first.device,
        "runs": args.runs,
        "open_ms": round(open_ms, 2),
        "first_ms": round(first.timing.total_ms, 2),
        "stages": {
            name: {"median_ms": round(spread.median, 2), "p90_ms": round(spread.p90, 2)}
            for name, spread in spreads.items()
        },
        "peak_rss_mib": peak_rss_mib(),
    }
    if args.json:
        print_json(result)
    else:
        print(_table(result))
    return OK


def summarize(timings: Sequence[Timing]) -> dict[str, Spread]:
    """Return the spread of each stage over one or more timings."""
    spreads = {}
    for name in STAGES:
        values = sorted(getattr(timing, name) for timing in timings)
        spreads[name] = Spread(statistics.median(values), percentile(values, 0.9))
    return spreads


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of ascending values, interpolated linearly between the nearest two."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def peak_rss_mib() -> float | None:
    """Return the largest memory this process has held, in MiB; None where it is not known."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return round(peak * unit / 2**20, 1)


def _table(result: dict[str, Any]) -> str:
    rows = [
        f"image   {result['image']}, {result['width']} x {result['height']}, "
        f"{result['lines']} lines",
        f"model   {result['model']} on {result['device']}",
        f"open    {result['open_ms']:.1f} ms (modules, interpreter, model)",
        f"first   {result['first_ms']:.1f} ms",
        "",
        f"{'stage':<12}{'median':>12}{'p90':>12}   over {result['runs']} runs",
    ]
    for name, spread in result["stages"].items():
        label = name.removesuffix("_ms")
        rows.append(f"{label:<12}{spread['median_ms']:>9.1f} ms{spread['p90_ms']:>9.1f} ms")
    if result["peak_rss_mib"] is not None:
        rows += ["", f"peak memory {result['peak_rss_mib']:.0f} MiB"]
    return "\n".join(rows)
