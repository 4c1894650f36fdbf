"""Time that the inspection station adds to reading.

    python -m benchmarks.station [--photo FILE] [--frames 20] [--rounds 5] [--folder /tmp]

Blocks of plain `Reader.read` calls and blocks of the station take turns on the same frames, so that
other work on the machine affects both equally. The frames are in memory. Every frame is a separate
product without a vote, is sent to an HTTP server on this machine, and is recorded with its full
picture. Most stations do less.

The results are two times: from the start of a frame until the outputs have its verdict, and until
the next frame can start. "added" is the part outside of `Reader.read` in the same frame. On a busy
machine "added" is the most useful figure.
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
from sdk.native_notes import native_notes_to_log
from sdk.reader import Reader
from sdk.station import History, Job, Outputs, Station, TextRule, Verdict
from sdk.station.outputs import WebhookSettings


class Slides(CameraBase):
    """A camera that repeats one picture, each time as another product."""

    live = False
    stills = True

    def __init__(self, image: np.ndarray, count: int) -> None:
        """Prepare the camera.

        Args:
            image: uint8 RGB (H, W, 3).
            count: Number of frames.
        """
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
    """Measures the times at which verdicts are given and recorded."""

    def __init__(self, outputs: Outputs) -> None:
        """Start without times.

        Args:
            outputs: Outputs that receive the verdicts.
        """
        self.outputs = outputs
        self.read_ms: list[float] = []
        self.given: list[float] = []
        self.recorded: list[float] = []

    def publish(self, verdict: Verdict) -> None:
        """Publish a verdict, and measure the time."""
        self.outputs.publish(verdict)
        self.given.append(time.perf_counter())


def read_plainly(reader: Reader, image: np.ndarray, count: int) -> list[float]:
    """Return the time of each of `count` readings in milliseconds."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        reader.read(image, min_confidence=0.25)
        times.append(1e3 * (time.perf_counter() - started))
    return times


def inspect(
    reader: Reader, image: np.ndarray, count: int, history: History, outputs: Outputs
) -> np.ndarray:
    """Return the times of each frame, float64 (n, 3), milliseconds.

    The columns are the time until the verdict, until the next frame, and of reading.
    """
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
    # a frame starts when the frame before is recorded, so the first frame has no start time
    starts = np.array(watch.recorded[:-1])
    ends = np.array([watch.given[1:], watch.recorded[1:]])
    return np.stack([*(1e3 * (ends - starts)), watch.read_ms[1:]], 1)


class Server(BaseHTTPRequestHandler):
    """A server that accepts every request."""

    def do_POST(self) -> None:
        """Read the body, and answer with success."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no log."""


@native_notes_to_log()
def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the time that the station adds.")
    parser.add_argument("--photo", type=Path, default=PHOTO)
    parser.add_argument("--frames", type=positive_int, default=20, help="frames per block")
    parser.add_argument("--rounds", type=positive_int, default=5, help="blocks of each kind")
    parser.add_argument("--folder", help="folder of the history, whose disk is measured")
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
