"""The HTTP service under load, and what it adds to reading.

    python benchmarks/service.py [--requests 2000] [--clients 16] [--workers 1] [--single 100]

Starts `fots-lite serve` on this machine and sends it, from so many clients at a time, photos with
different texts among garbage, damaged and huge pictures, bodies that end early, slow senders, and
clients that leave. Every answer to a photo must hold the texts that a plain `Reader` reads in that
very photo: a wrong pairing is counted, and so is every answer that is none of those allowed.

"Added" is what a request takes beyond the reading in it, for one client: the time of the client
less `timing.total_ms` of the answer. Where other work keeps the machine busy, each passing on to
another process waits for its turn: there the processor's times are the figures to look at, the
service's own process and the worker beside the plain reader.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image, ImageDraw, ImageFont

from sdk.arguments import positive_int
from sdk.native_notes import native_notes_to_log
from sdk.reader import Reader

ROOT = Path(__file__).resolve().parents[1]
SIZES = ((320, 240), (640, 480), (800, 600), (1280, 960), (2000, 1500))
# Of a hundred requests; the others are whole photos.
TROUBLE = {
    "garbage": 5, "damaged": 5, "huge": 1, "cut short": 4, "slow": 4, "left": 4,
}  # fmt: skip
WARM_UP = 300


def draw(number: int) -> bytes:
    """Return a JPEG file with three lines of its own."""
    width, height = SIZES[number % len(SIZES)]
    canvas = Image.new("RGB", (width, height), (230, 228, 220))
    painter = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=height // 10)
    for row, text in enumerate((f"LOT {7919 * number % 90000 + 10000}", f"N {number:03}", "OK")):
        painter.text((width // 12, (row + 0.7) * height / 4), text, (20, 20, 30), font, anchor="lm")
    buffer = io.BytesIO()
    canvas.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def huge_png() -> bytes:
    """Return a small file that says that it is 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000))
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@dataclass
class Tally:
    """What happened.

    Attributes:
        outcomes: How often, by kind of request and outcome.
        wrong: Answers that were not those of their photo, or not allowed.
        photo_ms: Times of photos as their clients saw them.
        lock: Guards all of it.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    photo_ms: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Load:
    """Photos, the texts that a plain reader found in them, and what is left to send."""

    address: tuple[str, int]
    photos: list[tuple[bytes, list[str]]]
    left: Iterator[int]
    tally: Tally = field(default_factory=Tally)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self) -> None:
        """Send requests until none is left."""
        link = http.client.HTTPConnection(*self.address, timeout=120)
        while True:
            with self.lock:
                number = next(self.left, None)
            if number is None:
                link.close()
                return
            self.send(link, number)

    def send(self, link: http.client.HTTPConnection, number: int) -> None:
        """Send the request of a number, the same kind in every run."""
        chance = random.Random(number)
        kinds = [*TROUBLE, "photo"]
        weights = [*TROUBLE.values(), 100 - sum(TROUBLE.values())]
        (kind,) = chance.choices(kinds, weights)
        photo, texts = chance.choice(self.photos)
        if kind in ("cut short", "slow", "left"):
            outcome = self.raw(kind, photo, texts)
        else:
            body = {"garbage": chance.randbytes(5000), "damaged": photo[: len(photo) // 3],
                    "huge": huge_png(), "photo": photo}[kind]  # fmt: skip
            started = time.perf_counter()
            outcome = self.judged(kind, texts, *self.post(link, body))
            if outcome == "200":
                with self.tally.lock:
                    self.tally.photo_ms.append(1e3 * (time.perf_counter() - started))
        with self.tally.lock:
            self.tally.outcomes[kind, outcome] += 1

    def post(self, link: http.client.HTTPConnection, body: bytes) -> tuple[int, bytes]:
        """Return status and body of an answer; a service that is busy is asked again."""
        while True:
            link.request("POST", "/v1/read", body, {"Content-Type": "image/jpeg"})
            answer = link.getresponse()
            told = answer.read()
            if answer.status != 503:
                return answer.status, told
            with self.tally.lock:
                self.tally.outcomes["any", "503, sent again"] += 1
            time.sleep(float(answer.headers["Retry-After"]))

    def raw(self, kind: str, photo: bytes, texts: list[str]) -> str:
        """Send a photo badly, on a connection of its own."""
        head = f"POST /v1/read HTTP/1.1\r\nHost: a\r\nContent-Length: {len(photo)}\r\n"
        with contextlib.suppress(ConnectionError), socket.create_connection(self.address) as link:
            link.sendall(f"{head}Connection: close\r\n\r\n".encode())
            if kind == "cut short":
                link.sendall(photo[: len(photo) // 2])
                return "closed"
            if kind == "left":
                link.sendall(photo)
                time.sleep(0.02)
                return "closed"
            for part in range(8):
                link.sendall(photo[part * len(photo) // 8 : (part + 1) * len(photo) // 8])
                time.sleep(0.2)
            link.settimeout(120)
            told = b"".join(iter(lambda: link.recv(65536), b""))
            top, _, body = told.partition(b"\r\n\r\n")
            status = int(top.split()[1])
            return "503" if status == 503 else self.judged("photo", texts, status, body)
        return "connection lost"

    def judged(self, kind: str, texts: list[str], status: int, body: bytes) -> str:
        """Return the status of an answer, after looking whether it is the right one."""
        wanted = 200 if kind == "photo" else 422
        right = status == wanted
        if right and status == 200:
            right = [line["text"] for line in json.loads(body)["reading"]["lines"]] == texts
        if not right:
            with self.tally.lock:
                self.tally.wrong.append(f"{kind}: {status} {body[:200]!r}, not {wanted} {texts}")
        return str(status)


@contextlib.contextmanager
def served(workers: int) -> Iterator[tuple[tuple[str, int], list[dict[str, object]], int]]:
    """Start the service; yield its address, its log, and the number of its process."""
    command = [sys.executable, "-m", "sdk", "serve", "--port", "0", "--workers", str(workers)]
    process = subprocess.Popen(
        [*command, "--threads", "1"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    log: list[dict[str, object]] = []
    listening = threading.Event()

    def follow() -> None:
        for line in process.stderr or ():
            with contextlib.suppress(ValueError):  # notes of native code
                log.append(json.loads(line))
                if log[-1]["message"] == "listening":
                    listening.set()

    threading.Thread(target=follow, daemon=True).start()
    try:
        if not listening.wait(120):
            raise SystemExit(f"The service does not start: {log}")
        parts = urlsplit(str(next(x["url"] for x in log if x["message"] == "listening")))
        yield (str(parts.hostname), int(parts.port or 0)), log, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        print(f"stopped: exit code {process.wait(120)}")


def memory_mb(address: tuple[str, int]) -> dict[str, float]:
    """Return the memory of the service's processes, in MB, as /metrics tells it."""
    link = http.client.HTTPConnection(*address)
    link.request("GET", "/metrics")
    text = link.getresponse().read().decode()
    link.close()
    found = re.findall(r'resident_memory_bytes\{process="([^"]+)"\} (\S+)', text)
    return {name: float(value) / 1e6 for name, value in found}


def share(times: list[float], part: float) -> float:
    """Return a quantile."""
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]


def told(times: list[float]) -> str:
    """Return two quantiles as text."""
    return f"p50 {statistics.median(times):.1f} ms, p95 {share(times, 0.95):.1f} ms"


def cpu_ms(pid: int | str) -> float:
    """Return the processor time that a process has used, in milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def single(
    address: tuple[str, int],
    photos: list[tuple[bytes, list[str]]],
    count: int,
    pids: dict[str, int],
) -> None:
    """Print what a request takes beside its reading, for one client."""
    before = {name: cpu_ms(pid) for name, pid in pids.items()}
    link = http.client.HTTPConnection(*address)
    whole, added = [], []
    for number in range(count):
        photo, _ = photos[number % len(photos)]
        started = time.perf_counter()
        link.request("POST", "/v1/read", photo, {"Content-Type": "image/jpeg"})
        body = link.getresponse().read()
        whole.append(1e3 * (time.perf_counter() - started))
        added.append(whole[-1] - json.loads(body)["reading"]["timing"]["total_ms"])
    print(f"one client, {count} photos: {told(whole)}")
    print(f"  added by the service: least {min(added):.1f} ms, {told(added)}")
    for name, pid in pids.items():
        print(f"  processor, {name}: {(cpu_ms(pid) - before[name]) / count:.1f} ms a request")


@native_notes_to_log()
def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=positive_int, default=2000)
    parser.add_argument("--clients", type=positive_int, default=16)
    parser.add_argument("--workers", type=positive_int, default=1)
    parser.add_argument("--photos", type=positive_int, default=20)
    parser.add_argument("--single", type=positive_int, default=100)
    args = parser.parse_args()
    files = [draw(number) for number in range(args.photos)]
    files.append((ROOT / "tests" / "sdk" / "serve" / "photo.jpg").read_bytes())
    with Reader(threads=1) as reader:
        photos = [(file, reader.read(file).texts) for file in files]
        used = cpu_ms("self")
        plain = [reader.read(file).timing.total_ms for file in 3 * files]
        used = (cpu_ms("self") - used) / len(plain)
    assert len({str(texts) for _, texts in photos}) == len(photos), "two photos read alike"
    print(f"plain Reader, one thread: {told(plain)}; processor {used:.1f} ms a photo")
    with served(args.workers) as (address, log, own_pid):
        pids = {"worker": next(int(str(x["pid"])) for x in log if x["message"] == "worker ready")}
        single(address, photos, args.single, {"service": own_pid, **pids})
        load = Load(address, photos, iter(range(args.requests)))
        threads = [threading.Thread(target=load.work) for _ in range(args.clients)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        warm: dict[str, float] = {}
        peak: dict[str, float] = {}
        while any(thread.is_alive() for thread in threads):
            time.sleep(1)
            now = memory_mb(address)
            if sum(load.tally.outcomes.values()) < WARM_UP or not warm:
                warm = now
            peak = {name: max(value, peak.get(name, 0)) for name, value in now.items()}
        elapsed = time.perf_counter() - started
        last = memory_mb(address)
        starts = sum(x["message"] == "worker ready" for x in log)
    tally = load.tally
    print(f"{args.requests} requests of {args.clients} clients in {elapsed:.0f} s")
    for (kind, outcome), count in sorted(tally.outcomes.items()):
        print(f"  {kind}: {outcome}: {count}")
    print(f"photos under load: {told(tally.photo_ms)}")
    print(f"wrong answers: {len(tally.wrong)}; workers started: {starts} of {args.workers}")
    for name, value in last.items():
        print(f"memory of {name}: {warm[name]:.1f} MB warm, {value:.1f} MB at the end, "
              f"{peak[name]:.1f} MB at most")  # fmt: skip
    if tally.wrong:
        raise SystemExit("\n".join(tally.wrong[:10]))


if __name__ == "__main__":
    main()
