"""Time to record a verdict in a long history, alone and during searches.

    PYTHONPATH=. python benchmarks/history.py [--rows 1000000] [--adds 200] [--folder /tmp]

The program fills a history with verdicts of one line, 1.4 kB each. Then it adds verdicts, at most
20 per second: first alone, then while other threads search for a missing text, count the verdicts
by hour, and load the newest page with its thumbnails, without a pause.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from sdk.arguments import positive_int
from sdk.results import Char, Quad, Reading, TextLine
from sdk.station import History, Job, TextRule, Verdict, judge

JOB = Job("milk", rules=(TextRule("LOT"),))
FIRST_DAY = 1_700_000_000.0
EACH_S = 3.0
PAUSE_S = 0.05


def verdict(number: int) -> Verdict:
    """Return the verdict on a product with this lot number."""
    text = f"LOT {number:08}"
    chars = tuple(Char(c, 0.9, _box(10 + 12 * i, 10, 12)) for i, c in enumerate(text))
    line = TextLine(text, 0.9, _box(10, 10, 12 * len(text)), chars)
    return judge(JOB, Reading((line,), 640, 480), taken=FIRST_DAY + EACH_S * number)


def _box(x: float, y: float, width: float) -> Quad:
    return (x, y), (x + width, y), (x + width, y + 20), (x, y + 20)


def fill(path: Path, rows: int) -> None:
    """Write this number of verdicts in one transaction."""
    with History(path) as history:
        history.add(verdict(0))
    plain = json.dumps(verdict(1).to_dict(), separators=(",", ":"))

    def values() -> Iterator[tuple[float, str, str, str, str]]:
        for i in range(1, rows):
            text = f"LOT {i:08}"
            yield FIRST_DAY + EACH_S * i, JOB.name, "ok", text, plain.replace("LOT 00000001", text)

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO records (time, job, status, text, verdict) VALUES (?,?,?,?,?)", values()
        )


def add(history: History, count: int) -> np.ndarray:
    """Return the time to record each of `count` verdicts, float64 (count,), milliseconds."""
    times = []
    for i in range(count):
        one = verdict(i)
        started = time.perf_counter()
        history.add(one)
        times.append(1e3 * (time.perf_counter() - started))
        time.sleep(PAUSE_S)
    return np.array(times)


class Repeated:
    """Repeats an action in its own thread, and measures the times."""

    def __init__(self, act: Callable[[], object]) -> None:
        """Prepare the thread.

        Args:
            act: The action.
        """
        self.act = act
        self.ms: list[float] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> Repeated:
        """Start the thread."""
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread after its current action."""
        self.stop.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.stop.is_set():
            started = time.perf_counter()
            self.act()
            self.ms.append(1e3 * (time.perf_counter() - started))


def show(name: str, ms: np.ndarray) -> None:
    """Print percentiles of times."""
    p50, p99 = np.percentile(ms, (50, 99))
    print(f"{name:<34} {len(ms):5} times: p50 {p50:.1f}, p99 {p99:.1f}, max {max(ms):.1f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure recording during searches.")
    parser.add_argument("--rows", type=positive_int, default=1_000_000)
    parser.add_argument("--adds", type=positive_int, default=200)
    parser.add_argument("--folder", help="folder of the history, whose disk is measured")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "line.db"
        fill(path, args.rows)
        print(f"{args.rows} verdicts, {path.stat().st_size / 1e6:.0f} MB")
        with History(path) as history:

            def load_page() -> None:
                for record in history.search(limit=20):
                    history.thumbnail(record.id)

            show("recording alone", add(history, args.adds))
            acts: dict[str, Callable[[], object]] = {
                "searching for a missing text": lambda: history.search("QQ"),
                "counting by hour": history.statistics,
                "loading the newest page": load_page,
            }
            with ExitStack() as stack:
                busy = {name: stack.enter_context(Repeated(act)) for name, act in acts.items()}
                ms = add(history, args.adds)
            show("recording during searches", ms)
            for name, one in busy.items():
                show(name, np.array(one.ms))


if __name__ == "__main__":
    main()
