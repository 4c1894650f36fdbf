"""Threads and forked processes that read with one reader for minutes, each reading as alone.

    python -m tests.sdk.reader.soak [--minutes 10] [--threads 16] [--processes 4]

A reader that has read is shared by the threads of this process and by forked children, each with
threads of its own. Every reading must be that of a single thread. Exit code 1 if one differs, a
child fails or nothing was read.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from sdk.reader import Reader

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = (
    ROOT / "tests" / "pictures" / "generated.jpg",
    *sorted((ROOT / "demo_app" / "samples").glob("*.jpg")),
)

Lines = list[tuple[str, float]]


def lines_of(reader: Reader, photo: Path) -> Lines:
    return [(line.text, line.confidence) for line in reader.read(photo)]


def read_until(reader: Reader, alone: dict[Path, Lines], end: float, threads: int) -> int:
    """Return the number of readings by so many threads; -1 if one is another than alone."""
    counts: list[int] = []

    def work(offset: int) -> None:
        count = offset
        while time.monotonic() < end:
            photo = PHOTOS[count % len(PHOTOS)]
            if lines_of(reader, photo) != alone[photo]:
                counts.append(-1)
                return
            count += 1
        counts.append(count - offset)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return -1 if -1 in counts or len(counts) < threads else sum(counts)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=16, help="of this process and of each child")
    parser.add_argument("--processes", type=int, default=4, help="forked children")
    options = parser.parse_args(argv)
    reader = Reader(threads=1)
    alone = {photo: lines_of(reader, photo) for photo in PHOTOS}
    end = time.monotonic() + 60 * options.minutes
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()

    def child() -> None:
        results.put(read_until(reader, alone, end, options.threads))

    children = [fork.Process(target=child) for _ in range(options.processes)]
    for process in children:
        process.start()
    counts = [read_until(reader, alone, end, options.threads)]
    counts += [results.get() for _ in children]
    for process in children:
        process.join(60)
    codes = [process.exitcode for process in children]
    print(f"readings by process {counts}, exit codes {codes}")
    return 0 if min(counts) > 0 and not any(codes) else 1


if __name__ == "__main__":
    sys.exit(main())
