"""Runs a station for long under everything that goes wrong in a plant, and checks its accounts.

    python -m tests.sdk.station.soak --frames 10000 --read 300 --folder /tmp/soak

Two runs: the plumbing at full speed with readings made beforehand, and the packaged model on real
pixels. Meanwhile the camera drops out, a real MQTT broker is restarted, and the disk is full for a
fifth of the time (files may not grow any more). Run as a program of its own: the limit of files and
the memory are the whole process's.
"""

from __future__ import annotations

import argparse
import gc
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from sdk.errors import CameraError
from sdk.image.load import load_image
from sdk.live.camera import CameraBase, CameraEnd, Frame
from sdk.reader import Reader
from sdk.results import Reading
from sdk.station import History, Job, Outputs, Station, TextRule
from sdk.station.outputs import MqttSettings, WebhookSettings
from tests.sdk.station.outputs.broker import Broker
from tests.sdk.station.ports import free_port
from tests.sdk.station.readings import make_reading

ROOT = Path(__file__).resolve().parents[3]
MAX_GROWTH_MB = 20.0
# Shares of the run.
WARM_UP, FULL, FREE, RESTART = 0.2, 0.4, 0.6, 0.1


class Wobbly(CameraBase):
    """Shows one picture so many times, as fast as it is asked, and drops out now and then."""

    live = False
    stills = True

    def __init__(self, image: np.ndarray, frames: int, between_drops: int) -> None:
        super().__init__("the wobbly camera")
        self.image, self.left, self.between_drops = image, frames, between_drops
        self.drops = 0
        self.dropped_now = False

    def open(self) -> None:
        if self.dropped_now:
            self.dropped_now = False
            raise CameraError("The cable is still out.")

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        if self.left == 0:
            raise CameraEnd("All pictures are shown.")
        if self.left % self.between_drops == 0 and self.drops * self.between_drops < self._frames:
            self.drops += 1
            self.dropped_now = True
            raise CameraError("The cable is out.")
        self.left -= 1
        return self._frame(self.image)

    def close(self) -> None:
        pass


class Parrot:
    """Says what it was taught, as a reader would: a good product, or a bad one now and then."""

    def __init__(self) -> None:
        self.readings = [make_reading("MILK", f"L{i:05}") for i in range(9)]
        self.readings.append(make_reading("SILK", "L00009"))
        self.said = 0

    def read(self, image: np.ndarray, **options: Any) -> Reading:
        self.said += 1
        return self.readings[self.said % len(self.readings)]


class Trouble:
    """Restarts the broker and fills the disk as the run goes on."""

    def __init__(self, broker: Broker, frames: int) -> None:
        self.broker, self.frames = broker, frames
        self.seen = self.restarts = 0
        self.memory: dict[float, float] = {}
        self.threads: list[threading.Thread] = []
        self._restarting = threading.Lock()

    def on_frame(self, *_: object) -> None:
        self.seen += 1
        for share, act in ((WARM_UP, self._note), (FULL, self._fill), (FREE, self._free)):
            if self.seen == int(share * self.frames):
                act()
        if self.seen % int(RESTART * self.frames) == 0:
            self.restarts += 1
            self.threads.append(threading.Thread(target=self._restart))
            self.threads[-1].start()

    def _restart(self) -> None:
        with self._restarting:  # the frames may be faster: a broker must not be forgotten
            self.broker.stop()
            time.sleep(0.5)
            self.broker.start()

    def _note(self) -> None:
        self.memory[WARM_UP] = resident_mb()

    def _fill(self) -> None:
        # the files are larger than this already: almost nothing can be written any more
        resource.setrlimit(resource.RLIMIT_FSIZE, (32_768, resource.RLIM_INFINITY))

    def _free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


def resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def run(reader: Any, image: np.ndarray, frames: int, drops: int, folder: Path) -> None:
    """Inspects so many frames and prints a report. Fails if the accounts do not add up."""
    folder.mkdir(parents=True)
    broker = Broker(folder)
    outputs = Outputs(
        [
            MqttSettings(name="broker", host="127.0.0.1", port=broker.port, retries=1, timeout_s=1),
            # nobody is there
            WebhookSettings(name="nobody", url=f"http://127.0.0.1:{free_port()}/", retries=0),
        ]
    )
    trouble = Trouble(broker, frames)
    camera = Wobbly(image, frames, max(1, frames // drops))
    started = time.perf_counter()
    states: list[str] = []
    with History(folder / "line.db", pictures="all", quota_mb=2) as history:
        station = Station(
            reader,
            camera,
            Job("milk", rules=(TextRule("MILK"),)),
            history=history,
            outputs=outputs,
            on_frame=trouble.on_frame,
            on_state=lambda kind, _: states.append(kind),
        )
        station.start()
        assert station.wait(3600), "the run does not end"
        station.stop()
        elapsed = time.perf_counter() - started
        growth = resident_mb() - trouble.memory[WARM_UP]
        for thread in trouble.threads:
            thread.join()
        outputs.close(10)
        broker.stop()
        kept = len(history.ids())
    counters, counts = station.counters, outputs.counts()
    verdicts = counters["ok"] + counters["ng"] + counters["unreadable"]
    print(
        f"{frames} frames in {elapsed:.0f} s, {camera.drops} camera drops, "
        f"{trouble.restarts} broker restarts\n"
        f"  verdicts {verdicts}: {kept} recorded, {counters['lost_history']} lost and counted\n"
        f"  outputs {counts}\n"
        f"  memory grew by {growth:.1f} MB after the first fifth",
        flush=True,
    )
    assert counters["frames"] == verdicts == frames
    assert counters["errors"] == counters["dropped"] == 0
    assert kept + counters["lost_history"] == verdicts, "a verdict was lost without being counted"
    assert counters["lost_history"] > 0, "the disk was never full"
    assert kept > 0.6 * frames, "recording did not go on when the disk was free again"
    for name, count in counts.items():
        assert count["sent"] + count["failed"] + count["dropped"] == verdicts, name
    assert counts["broker"]["sent"] > 0
    assert states.count("lost") >= camera.drops > 0
    assert states.count("history") >= 2
    assert growth < MAX_GROWTH_MB, "memory grows"
    names = [
        thread.name for thread in threading.enumerate() if thread is not threading.main_thread()
    ]
    assert names == [], f"threads are left: {names}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=10_000, help="with readings made beforehand")
    parser.add_argument("--read", type=int, default=300, help="with the packaged model")
    parser.add_argument("--drops", type=int, default=7, help="of the camera, in each run")
    parser.add_argument("--folder", type=Path, help="where the histories are made")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        small = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
        run(Parrot(), small, args.frames, args.drops, Path(name) / "plumbing")
        photo = load_image(ROOT / "docs" / "photo.jpg")
        with Reader(threads=1) as reader:
            run(reader, photo, args.read, args.drops, Path(name) / "model")


if __name__ == "__main__":
    main()
