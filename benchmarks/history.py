"""How long a verdict takes to be recorded while somebody searches a long history.

    PYTHONPATH=. python benchmarks/history.py [--rows 1000000] [--adds 200] [--folder /tmp]

A history of so many verdicts (one line each, 1.4 kB) is filled; then verdicts are added, 20 a
second at most, first alone, then while other threads search all along for a text that is nowhere,
count the verdicts by hour, and look at the newest page with its small pictures.
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
    """Return the verdict on a product of its own lot."""
    text = f"LOT {number:08}"
    chars = tuple(Char(c, 0.9, _box(10 + 12 * i, 10, 12)) for i, c in enumerate(text))
    line = TextLine(text, 0.9, _box(10, 10, 12 * len(text)), chars)
    return judge(JOB, Reading((line,), 640, 480), taken=FIRST_DAY + EACH_S * number)


def _box(x: float, y: float, width: float) -> Quad:
    return (x, y), (x + width, y), (x + width, y + 20), (x, y + 20)


def fill(path: Path, rows: int) -> None:
    """Write so many verdicts, in one go."""
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
    """Return the ms of each of so many verdicts until they are recorded, float64 (count,)."""
    times = []
    for i in range(count):
        one = verdict(i)
        started = time.perf_counter()
        history.add(one)
        times.append(1e3 * (time.perf_counter() - started))
        time.sleep(PAUSE_S)
    return np.array(times)


class Repeated:
    """Does something all along in a thread of its own, and takes the times."""

    def __init__(self, act: Callable[[], object]) -> None:
        """Keep what is to be done."""
        self.act = act
        self.ms: list[float] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> Repeated:
        """Begin."""
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Do it for the last time."""
        self.stop.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.stop.is_set():
            started = time.perf_counter()
            self.act()
            self.ms.append(1e3 * (time.perf_counter() - started))


def show(name: str, ms: np.ndarray) -> None:
    """Print the spread of some times."""
    p50, p99 = np.percentile(ms, (50, 99))
    print(f"{name:<34} {len(ms):5} times: p50 {p50:.1f}, p99 {p99:.1f}, max {max(ms):.1f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure recording beside searching.")
    parser.add_argument("--rows", type=positive_int, default=1_000_000)
    parser.add_argument("--adds", type=positive_int, default=200)
    parser.add_argument("--folder", help="where the history is made; its disk counts")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "line.db"
        fill(path, args.rows)
        print(f"{args.rows} verdicts, {path.stat().st_size / 1e6:.0f} MB")
        with History(path) as history:

            def look() -> None:
                for record in history.search(limit=20):
                    history.thumbnail(record.id)

            show("recording alone", add(history, args.adds))
            acts: dict[str, Callable[[], object]] = {
                "searching a text that is nowhere": lambda: history.search("QQ"),
                "counting by hour": history.statistics,
                "looking at the newest page": look,
            }
            with ExitStack() as stack:
                busy = {name: stack.enter_context(Repeated(act)) for name, act in acts.items()}
                ms = add(history, args.adds)
            show("recording meanwhile", ms)
            for name, one in busy.items():
                show(name, np.array(one.ms))


if __name__ == "__main__":
    main()
