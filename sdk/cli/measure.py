"""Measurement of a reader: time per stage, and memory."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdk.cli.log import logger
from sdk.cli.options import open_reader
from sdk.machine import peak_rss_mib

if TYPE_CHECKING:
    from sdk.image.load import ImageSource
    from sdk.results import Timing

STAGES = ("load_ms", "detect_ms", "recognize_ms", "total_ms")


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 90th percentile of times, in milliseconds."""

    median: float
    p90: float


def measure(args: argparse.Namespace, source: ImageSource) -> dict[str, Any]:
    """Return time and memory of a reader for a picture, as plain values.

    Args:
        args: Options of `add_reader_options`, and "runs".
        source: The picture.
    """
    start = time.perf_counter()
    with open_reader(args) as reader:
        open_ms = 1000 * (time.perf_counter() - start)
        about = reader.describe()
        first = reader.read(source)
        if not first:
            logger.warning("No text found in the picture: reading lines is not measured.")
        spreads = summarize([reader.read(source).timing for _ in range(args.runs)])
    return {
        "device": first.device,
        "variant": about["variant"],
        "interpreter": about["interpreter"],
        "threads": about["threads"],
        "model": first.model,
        "lines": len(first),
        "open_ms": round(open_ms, 2),
        "first_ms": round(first.timing.total_ms, 2),
        "stages": {
            name: {"median_ms": round(spread.median, 2), "p90_ms": round(spread.p90, 2)}
            for name, spread in spreads.items()
        },
        "peak_rss_mib": peak_rss_mib(),
    }


def summarize(timings: Sequence[Timing]) -> dict[str, Spread]:
    """Return the spread of each stage over one or more timings."""
    spreads = {}
    for name in STAGES:
        values = sorted(getattr(timing, name) for timing in timings)
        spreads[name] = Spread(statistics.median(values), percentile(values, 0.9))
    return spreads


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of ascending values, with linear interpolation."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
