"""One engine in a process of its own, told what to read on standard input.

python peer_worker.py fots-lite|rapidocr|tesseract

The first line it answers with says what it is; then each path it is given is read and answered with
milliseconds, the number of lines and the text; the end of the input with its peak memory. It needs
nothing of this repository but `sdk`, and that for "fots-lite" only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[str], list[str]]


def open_fots_lite() -> tuple[str, Read]:
    """Return FOTS-lite as it is by default."""
    from sdk import Reader, __version__

    reader = Reader()
    return f"fots-lite {__version__}", lambda path: [line.text for line in reader.read(path)]


def open_rapidocr() -> tuple[str, Read]:
    """Return RapidOCR as it is by default, on onnxruntime."""
    from importlib.metadata import version

    from rapidocr import RapidOCR

    engine = RapidOCR()

    def read(path: str) -> list[str]:
        return list(engine(path).txts or ())

    return f"rapidocr {version('rapidocr')}", read


def open_tesseract() -> tuple[str, Read]:
    """Return the program tesseract, English, for text anywhere in the picture."""
    name = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)

    def read(path: str) -> list[str]:
        command = ["tesseract", path, "stdout", "--psm", "11"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if line.strip()]

    return name.stdout.splitlines()[0], read


ENGINES = {
    "fots-lite": open_fots_lite,
    "rapidocr": open_rapidocr,
    "tesseract": open_tesseract,
}


def main(engine: str) -> None:
    """Answer on what was standard output; what the engine prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: dict[str, Any]) -> None:
        print(json.dumps(value), file=answers, flush=True)

    started = time.perf_counter()
    name, read = ENGINES[engine]()
    answer({"name": name, "open_ms": 1e3 * (time.perf_counter() - started)})
    for line in sys.stdin:
        started = time.perf_counter()
        texts = read(line.rstrip("\n"))
        answer({"ms": 1e3 * (time.perf_counter() - started), "texts": texts})
    answer({"peak_rss_mib": peak_of_programs() if engine == "tesseract" else peak_of_this()})


def peak_of_this() -> float:
    """Return this process's peak memory in MiB, its own and not its parent's (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def peak_of_programs() -> float:
    """Return the peak memory in MiB of the largest program that this process has started."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1])
