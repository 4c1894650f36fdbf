"""What the service counts, in the text format of Prometheus."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

__all__ = ["CONTENT_TYPE_LATEST", "Metrics", "resident_bytes"]

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Metrics:
    """The counters of one service."""

    def __init__(self, gauges: Callable[[], Iterator[Metric]]) -> None:
        """Make them.

        Args:
            gauges: Returns what is measured when it is asked for.
        """
        self._registry = CollectorRegistry()
        self._registry.register(_Gauges(gauges))
        self._requests = Counter(
            "fots_lite_requests",
            "Requests answered, by route, method and status; 499: the client went away.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._errors = Counter(
            "fots_lite_errors",
            "Requests that failed, by the code in the answer.",
            ("code",),
            registry=self._registry,
        )
        self._lines = Counter("fots_lite_lines", "Lines of text read.", registry=self._registry)
        self._stages = Histogram(
            "fots_lite_stage_seconds",
            "Time of requests for readings: the body's arrival (receive), waiting for a worker "
            "(queue), loading, finding and reading in it, and all together (request).",
            ("stage",),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )

    def count_request(self, route: str, method: str, status: int, code: str) -> None:
        """Count an answer, and its problem if it has a code."""
        self._requests.labels(route, method, str(status)).inc()
        if code:
            self._errors.labels(code).inc()

    def count_reading(self, stages_s: Mapping[str, float], lines: int) -> None:
        """Count a reading: its lines, and seconds by stage."""
        self._lines.inc(lines)
        for stage, seconds in stages_s.items():
            self._stages.labels(stage).observe(seconds)

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)


def gauge(name: str, about: str, value: float) -> Metric:
    """Return one value that is measured now."""
    return GaugeMetricFamily(f"fots_lite_{name}", about, value)


def resident_bytes(pid: int | str) -> int | None:
    """Return the memory that a process holds, where the system tells."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


def memory(pids: Mapping[str, int | str]) -> Metric:
    """Return the memory of processes by name."""
    family = GaugeMetricFamily(
        "fots_lite_resident_memory_bytes", "Memory that a process holds.", labels=("process",)
    )
    for name, pid in pids.items():
        held = resident_bytes(pid)
        if held is not None:
            family.add_metric((name,), held)
    return family


class _Gauges(Collector):
    def __init__(self, gauges: Callable[[], Iterator[Metric]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        yield from self._gauges()
