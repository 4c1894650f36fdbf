"""Frame rate of the screen while the station reads as fast as it can.

python benchmarks/screen.py [--size 800x480] [--seconds 10]

Without a display, set SDL_VIDEODRIVER=offscreen to draw into memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from sdk.arguments import positive_int
from sdk.errors import SdkError
from sdk.native_notes import native_notes_to_log


@native_notes_to_log()
def main() -> int:
    """Run the station for a while, and print the rates of the screen and the reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="800x480", metavar="WxH", help="size of the window")
    parser.add_argument("--seconds", type=float, default=10.0, help="time of the measurement")
    parser.add_argument("--threads", type=positive_int, default=1, help="CPU threads of the reader")
    args = parser.parse_args()
    width, height = (int(part) for part in args.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = measure(Path(folder), (width, height), args.seconds, args.threads)
        except SdkError as error:
            raise SystemExit(f"ERROR: {error}") from error
    print(json.dumps(result))
    return 0


def measure(folder: Path, size: tuple[int, int], seconds: float, threads: int) -> dict[str, object]:
    """Return frames drawn and photos read per second, and the longest wait for a frame.

    "cpu_ms_per_frame" is the CPU time of the screen's thread per frame. On a busy machine this is
    more useful than the frame rate. With software OpenGL, other threads need additional CPU time.

    Args:
        folder: Folder for the files of the station.
        size: Width and height of the window, pixels.
        seconds: Time of the measurement, after two seconds that do not count.
        threads: CPU threads of the reader.
    """
    from demo_app.__main__ import open_window, prepare_kivy
    from demo_app.models.settings import DEMO_JOB, SAMPLES, Settings

    prepare_kivy(folder, size=size)
    open_window()
    from kivy.clock import Clock
    from kivy.core.window import Window

    from demo_app.app import StationApp
    from demo_app.models.workplace import Workplace
    from demo_app.post import to_screen_thread

    settings = Settings().changed(camera=f"{SAMPLES}?loop", job=DEMO_JOB, threads=threads)
    work = Workplace(folder, settings, to_screen_thread)
    app = StationApp(work)
    drawn: list[float] = []
    busy: list[float] = []
    read = {"begin": 0, "end": 0}

    def begin(_seconds: float) -> None:
        drawn.clear()
        busy.clear()
        read["begin"] = work.counters["frames"]
        Clock.schedule_once(end, seconds)

    def end(_seconds: float) -> None:
        read["end"] = work.counters["frames"]
        app.stop()

    def tick(_seconds: float) -> None:
        drawn.append(time.perf_counter())
        busy.append(time.thread_time())
        # a change in every frame is the worst case for the screen
        Window.canvas.ask_update()

    work.start()
    Clock.schedule_interval(tick, 0)
    app.bind(on_start=lambda _: Clock.schedule_once(begin, 2.0))
    app.run()
    if len(drawn) < 2:
        raise SystemExit("ERROR: fewer than two frames were drawn. Use a longer time.")
    waits = [1e3 * (b - a) for a, b in pairwise(drawn)]
    return {
        "size": f"{size[0]}x{size[1]}",
        "frames_per_second": round(len(drawn) / (drawn[-1] - drawn[0]), 1),
        "longest_wait_ms": round(max(waits), 1),
        "cpu_ms_per_frame": round(1e3 * (busy[-1] - busy[0]) / (len(busy) - 1), 1),
        "photos_per_second": round((read["end"] - read["begin"]) / seconds, 1),
        "threads": threads,
    }


if __name__ == "__main__":
    sys.exit(main())
