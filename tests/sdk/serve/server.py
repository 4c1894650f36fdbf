"""A service that a test starts: `fots-lite serve` in a process of its own, on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[3]
PHOTO = Path(__file__).with_name("photo.jpg")


@dataclass
class Served:
    """A running service."""

    process: subprocess.Popen[str]
    url: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, **options)

    def rows(self, message: str) -> list[dict[str, Any]]:
        return [row for row in self.log if row["message"] == message]

    @property
    def worker(self) -> int:
        """The process that reads."""
        return int(self.rows("worker ready")[-1]["pid"])

    def metrics(self) -> dict[str, float]:
        """What /metrics tells, by name with labels."""
        with self.client() as client:
            text = client.get("/metrics").text
        found = re.findall(r"^([^#\s][^\s]*) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Served]:
    """A service that reads with one worker and one thread, unless told otherwise."""
    command = [sys.executable, "-m", "sdk", "serve", "--port", "0", "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--threads", "1", "--drain", "0.1", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    served = Served(process)
    listening = threading.Event()

    def follow() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            row = json.loads(line)
            served.log.append(row)
            if row["message"] == "listening":
                served.url = row["url"]
                listening.set()
        listening.set()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        assert listening.wait(120) and served.url, served.log
        yield served
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        thread.join()


def wait_for(condition: Any, seconds: float = 90) -> None:
    """Waits until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.02)
