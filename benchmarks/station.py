"""How much time the inspection station adds to reading.

    python -m benchmarks.station [--photo FILE] [--frames 20] [--rounds 5] [--folder /tmp]

Blocks of plain `Reader.read` calls and of the station on the same frames take turns, so that other
work on the machine meets both. The frames are in memory; every one is another product (no vote), is
sent to an HTTP server on this machine, and is recorded with its full picture: more than a station
mostly does. Two times are given: from taking a frame until its verdict is with the outputs, and
until the next frame can be taken. Of each, "added" is what is not spent in `Reader.read`, measured
in the same frame: on a busy machine it is the figure to look at.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from benchmarks.peers import PHOTO
from sdk.arguments import positive_int
from sdk.image.load import load_image
from sdk.live.camera import CameraBase, CameraEnd, Frame
from sdk.reader import Reader
from sdk.station import History, Job, Outputs, Station, TextRule, Verdict
from sdk.station.outputs import WebhookSettings


class Slides(CameraBase):
    """Shows one picture so many times, each time as another product."""

    live = False
    stills = True

    def __init__(self, image: np.ndarray, count: int) -> None:
        """Keep the picture, uint8 RGB (H, W, 3), and how often it is shown."""
        super().__init__("the slides")
        self.image, self.left = image, count

    def open(self) -> None:
        """See `Camera`."""

    def close(self) -> None:
        """See `Camera`."""

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """See `Camera`."""
        if not self.left:
            raise CameraEnd("All slides are shown.")
        self.left -= 1
        return self._frame(self.image)


class Watch:
    """Notes when the verdicts are given and recorded."""

    def __init__(self, outputs: Outputs) -> None:
        """Keep the outputs that the verdicts go to."""
        self.outputs = outputs
        self.read_ms: list[float] = []
        self.given: list[float] = []
        self.recorded: list[float] = []

    def publish(self, verdict: Verdict) -> None:
        """Pass a verdict on, and note the time."""
        self.outputs.publish(verdict)
        self.given.append(time.perf_counter())


def read_plainly(reader: Reader, image: np.ndarray, count: int) -> list[float]:
    """Return the ms of each of so many readings."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        reader.read(image, min_confidence=0.25)
        times.append(1e3 * (time.perf_counter() - started))
    return times


def inspect(
    reader: Reader, image: np.ndarray, count: int, history: History, outputs: Outputs
) -> np.ndarray:
    """Return the ms of each frame, float64 (n, 3): to its verdict, to the next frame, reading."""
    watch = Watch(outputs)
    station = Station(
        reader,
        Slides(image, count),
        Job("benchmark", rules=(TextRule("D22 ED4"),)),
        history=history,
        outputs=watch,  # type: ignore[arg-type]
        on_frame=lambda seen: watch.read_ms.append(seen.ms),
        on_verdict=lambda verdict, record: watch.recorded.append(time.perf_counter()),
    )
    with station:
        station.wait()
    # a frame is taken when the one before is recorded; the first has none before
    starts = np.array(watch.recorded[:-1])
    ends = np.array([watch.given[1:], watch.recorded[1:]])
    return np.stack([*(1e3 * (ends - starts)), watch.read_ms[1:]], 1)


class Server(BaseHTTPRequestHandler):
    """Takes everything."""

    def do_POST(self) -> None:
        """Read the body and say yes."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the station adds to reading.")
    parser.add_argument("--photo", type=Path, default=PHOTO)
    parser.add_argument("--frames", type=positive_int, default=20, help="frames of a block")
    parser.add_argument("--rounds", type=positive_int, default=5, help="blocks of each kind")
    parser.add_argument("--folder", help="where the history is made; its disk counts")
    args = parser.parse_args()
    image = load_image(args.photo)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = WebhookSettings(name="server", url=f"http://127.0.0.1:{server.server_port}/")
    plain: list[float] = []
    blocks: list[np.ndarray] = []
    with (
        tempfile.TemporaryDirectory(dir=args.folder) as folder,
        Reader() as reader,
        History(Path(folder) / "line.db", pictures="all") as history,
        Outputs([settings]) as outputs,
    ):
        reader.read(image)
        for _ in range(args.rounds):
            plain += read_plainly(reader, image, args.frames)
            blocks.append(inspect(reader, image, args.frames + 1, history, outputs))
    server.shutdown()
    base = statistics.median(plain)
    frames = np.concatenate(blocks)
    height, width = image.shape[:2]
    print(f"{len(plain)} frames of {width}x{height} each way, medians")
    print(f"  read alone      {base:7.1f} ms")
    for column, name in enumerate(("to the verdict", "with history")):
        middle = float(np.median(frames[:, column]))
        added = float(np.median(frames[:, column] - frames[:, 2]))
        share = 100 * added / float(np.median(frames[:, 2]))
        print(f"  {name:15} {middle:7.1f} ms, added {added:6.2f} ms, {share:.1f} % of reading")


if __name__ == "__main__":
    main()
