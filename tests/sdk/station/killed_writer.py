"""Kills a station while frames flow, again and again, and checks its history each time.

Run as a program of its own: it forks, which a process with threads must not do.
    python -m tests.sdk.station.killed_writer FOLDER ROUNDS
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sdk.live.camera import CameraBase, Frame
from sdk.results import Reading
from sdk.station import History, Job, Station, Verdict, judge
from tests.sdk.station.readings import make_reading

IMAGE = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
QUOTA_MB = 0.5


class Endless(CameraBase):
    """Shows one picture as often as it is asked, each time as another product."""

    live = False
    stills = True

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        return self._frame(IMAGE)


class Counting:
    """Reads a number that grows with every frame."""

    def __init__(self, first: int) -> None:
        self.next = first

    def read(self, image: np.ndarray, **options: Any) -> Reading:
        self.next += 1
        return make_reading(f"L{self.next - 1}")


def write(path: Path, acknowledge: int) -> None:
    """Inspects frames until killed, and tells each verdict that is recorded."""
    with History(path, pictures="all", quota_mb=QUOTA_MB) as history:
        reader: Any = Counting(len(history.ids()))

        def on_verdict(verdict: Verdict, added: int | None) -> None:
            assert added is not None
            number = verdict.reading.text[1:]
            history.correct(added, f"corrected {number}")
            os.write(acknowledge, f"{added} {number}\n".encode())

        station = Station(
            reader, Endless("the camera"), Job("job"), history=history, on_verdict=on_verdict
        )
        with station:
            station.wait()


def kill_a_writer(path: Path, wait_s: float) -> dict[int, int]:
    """Returns what a writer acknowledged before it was killed, id by id."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            write(path, writer)
        finally:
            os._exit(1)  # never reached but by a failure
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        first = pipe.readline()
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
        rows = [first, *pipe.readlines()]
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer failed before it was killed"
    return {int(a): int(b) for a, b in (row.split() for row in rows)}


def check(path: Path, acknowledged: dict[int, int]) -> None:
    """Raises AssertionError if anything acknowledged is missing or damaged."""
    with History(path) as history:
        found = {r.id: r for r in history.records(history.ids())}
        for record_id, number in acknowledged.items():
            record = found[record_id]
            assert record.verdict.reading.text == f"L{number}"
            assert record.correction == f"corrected {number}"
        for record_id in list(acknowledged)[-3:]:  # older pictures may be beyond the quota
            for data in (history.picture(record_id), history.thumbnail(record_id)):
                assert data is not None
                assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()


def main(folder: str, rounds: str) -> None:
    cv2.setNumThreads(0)  # a pool of threads does not survive a fork
    path = Path(folder) / "line.db"
    acknowledged: dict[int, int] = {}
    chance = random.Random(0)
    for _ in range(int(rounds)):
        acknowledged.update(kill_a_writer(path, chance.uniform(0, 0.3)))
        check(path, acknowledged)
    with History(path, pictures="all", quota_mb=QUOTA_MB) as history:
        history.add(judge(Job("job"), make_reading("last")), IMAGE)
    half = list((Path(folder) / "line-pictures").glob(".*"))
    assert half == [], "half-written pictures are left"
    kept = sum(f.stat().st_size for f in (Path(folder) / "line-pictures").iterdir())
    assert kept < 2 * QUOTA_MB * 1e6, "killed writers leave pictures behind"
    print(f"{rounds} kills, {len(acknowledged)} verdicts acknowledged, none lost")


if __name__ == "__main__":
    main(*sys.argv[1:])
